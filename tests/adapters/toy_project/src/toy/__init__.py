"""A small project on the settings, hooks and datasets of the real one."""
