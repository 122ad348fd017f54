"""The pipelines: which function gets which dataset. What the functions do is written in the core."""
