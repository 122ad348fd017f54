"""From a source's tables to rows with features and labels."""
