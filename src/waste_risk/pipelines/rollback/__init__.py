"""Return to the champion before the current one."""
