"""From rows to a calibrated, explained, registered predictor."""
