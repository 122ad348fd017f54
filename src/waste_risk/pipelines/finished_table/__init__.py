"""From a finished table to a model input."""
