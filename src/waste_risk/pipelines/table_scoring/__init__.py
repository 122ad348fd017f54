"""Score the rows of a finished table whose label is not yet known."""
