"""What a user would write without this project: the same recipe, by hand: `python handwritten.py <rows> <threads>`.

pandas, LightGBM and scikit-learn alone; rows, folds and LightGBM's parameters are those of the training pipeline.
"""

import json
import resource
import sys
import time
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import yaml
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss, roc_auc_score

N_FOLDS, TEST_SHARE = 5, 0.2
NOT_FEATURES = ["item_id", "household_id", "observed_on", "wasted", "days_to_waste", "label_known_on"]

conf = yaml.safe_load(Path("conf/base/parameters_training.yml").read_text(encoding="utf-8"))["training"]
shared = {"seed": conf["seed"], "num_threads": int(sys.argv[2]), "verbosity": -1, "deterministic": True}
classifier = {"objective": "binary", "metric": "binary_logloss", **conf["classifier"], **shared}
regressor = {"objective": "regression_l1", "metric": "l1", **conf["regressor"], **shared}
for parameters in (classifier, regressor):
    max_rounds, patience = parameters.pop("num_boost_round"), parameters.pop("early_stopping_round")

started, cpu_started = time.perf_counter(), time.process_time()

rows = pd.read_parquet(sys.argv[1]).sort_values("observed_on")
names = [name for name in rows if name not in NOT_FEATURES and not name.startswith("sensitive_")]
test_from = rows["observed_on"].quantile(1 - TEST_SHARE).normalize()
test = rows[rows["observed_on"] >= test_from]
rows = rows[rows["label_known_on"] <= test_from]


def fit_fold(parameters, past, future, label):
    """Fit on the past; the future says when to stop."""
    data = lgb.Dataset(past[names], past[label])
    return lgb.train(
        parameters,
        data,
        max_rounds,
        valid_sets=[lgb.Dataset(future[names], future[label], reference=data)],
        callbacks=[lgb.early_stopping(patience, verbose=False)],
    )


def fit_all(parameters, past, label, rounds):
    """Fit on everything for the mean of the folds' rounds."""
    return lgb.train(parameters, lgb.Dataset(past[names], past[label]), round(np.mean(rounds)))


starts = [rows["observed_on"].quantile((2 + fold) / (2 + N_FOLDS)).normalize() for fold in range(N_FOLDS)]
predicted, rounds, days_rounds, aucs = [], [], [], []
for start, end in zip(starts, [*starts[1:], pd.Timestamp.max], strict=True):
    past = rows[rows["label_known_on"] <= start]
    future = rows[(rows["observed_on"] >= start) & (rows["observed_on"] < end)]
    model = fit_fold(classifier, past, future, "wasted")
    rounds.append(model.best_iteration)
    predicted.append(pd.DataFrame({"score": model.predict(future[names]), "wasted": future["wasted"]}))
    aucs.append(roc_auc_score(predicted[-1]["wasted"], predicted[-1]["score"]))
    model = fit_fold(regressor, past[past["wasted"]], future[future["wasted"]], "days_to_waste")
    days_rounds.append(model.best_iteration)

out_of_fold = pd.concat(predicted)
calibrator = IsotonicRegression(out_of_bounds="clip").fit(out_of_fold["score"], out_of_fold["wasted"])
final = fit_all(classifier, rows, "wasted", rounds)
days = fit_all(regressor, rows[rows["wasted"]], "days_to_waste", days_rounds)
final.save_model("classifier.txt")
days.save_model("regressor.txt")

cpu_s, wall_s = time.process_time() - cpu_started, time.perf_counter() - started
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
probability = calibrator.predict(final.predict(test[names]))
quality = {"auc": roc_auc_score(test["wasted"], probability), "log_loss": log_loss(test["wasted"], probability)}
counts = {"rows": len(rows), "cv_auc": np.mean(aucs), "rounds": np.mean(rounds), "days_rounds": np.mean(days_rounds)}
sys.stdout.write(json.dumps({"cpu_s": cpu_s, "wall_s": wall_s, "peak_mb": peak_mb, **counts, **quality}))
