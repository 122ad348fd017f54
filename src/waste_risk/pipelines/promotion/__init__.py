"""Hold the challenger against the champion, and replace it if it is better."""
