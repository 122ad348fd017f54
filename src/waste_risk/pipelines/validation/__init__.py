"""Evaluate the predictor on the untouched test window."""
