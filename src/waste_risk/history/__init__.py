"""What happened to items, indexed by owner and time; observations and features are both computed from it."""
