"""What is true of every table: contracts, checks across tables, and the cleaning of records."""
