"""Records of other systems, converted to our tables."""
