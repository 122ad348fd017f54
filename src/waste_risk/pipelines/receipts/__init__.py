"""Real grocery receipts, with simulated consumption for what no data set records."""
