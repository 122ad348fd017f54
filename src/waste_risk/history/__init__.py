"""What happened to items, indexed by owner and time: observations and features both ask it about the past."""
