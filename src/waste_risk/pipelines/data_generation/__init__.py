"""Simulated households, what they bought, and what became of it."""
