"""A Grocy database: one household, with its real labels."""
