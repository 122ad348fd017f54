"""The search for hyperparameters: what a trial is, how Optuna proposes the next, where studies are stored."""
