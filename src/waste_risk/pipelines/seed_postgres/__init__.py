"""Fill an empty PantryPal database with the simulated tables."""
