"""Where the core meets Kedro and MLflow: datasets, contracts, hooks, the session and the registry."""

import os

# Read by MLflow and Kedro's plugins when they are imported, so it is said first: nobody is told about our runs.
os.environ.setdefault("DO_NOT_TRACK", "true")
