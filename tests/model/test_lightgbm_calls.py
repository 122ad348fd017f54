"""LightGBM on threads: no call changes the number of another one's, whoever makes it, and forked workers answer.

What goes wrong here ends the process or hangs, so it is tried in processes of its own.
"""

import ast
import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from lightgbm.basic import _LIB
from planted import OBSERVATION, RISK_CLASSES, TRAINING, plant

from waste_risk.model.calibration import Calibrator
from waste_risk.model.lightgbm_calls import _LIMIT, contributions, fit, make_bins, predict, read
from waste_risk.training.fit import fit_predictor

ROOT = Path(__file__).parents[2]
ONE_PLACE = "src/waste_risk/model/lightgbm_calls.py"
WITHOUT_US = {
    "benchmarks/handwritten.py",  # what a user would write without this project, on one Python thread
    "benchmarks/search_cases.py",  # libraries that call LightGBM themselves, below our limit
    "src/waste_risk/adapters/registered_model.py",  # loads a registered model where waste_risk is not installed
    "tests/adapters/test_registered_models.py",  # what a client of the registry has
    "tests/model/test_lightgbm_calls.py",
}


def test_lightgbm_is_imported_in_one_place() -> None:
    importing = {
        str(path.relative_to(ROOT))
        for folder in ("src", "benchmarks", "experiments", "tests", "docs")
        for path in (ROOT / folder).rglob("*.py")
        if "lightgbm" in _imported(path)
    }
    assert importing - WITHOUT_US == {ONE_PLACE}


def _imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


REPEATED = """
import sys
from hashlib import sha256
import numpy as np
from planted import NAMES, OBSERVATION, SPLIT, TRAINING, plant
from waste_risk.training.cross_validation import cross_validate

rows = plant(900)
if sys.argv[1] == "sparse":
    rows[NAMES[10:]] = rows[NAMES[10:]].where(np.random.default_rng(2).random((len(rows), len(NAMES) - 10)) < 0.05, 0)
quick = TRAINING.classifier.model_copy(update={"num_boost_round": 5})
training = TRAINING.model_copy(update={"classifier": quick, "regressor": quick, "num_threads": 4})
answers = set()
for _ in range(200):
    out_of_fold, *_ = cross_validate(rows, training, SPLIT, OBSERVATION)
    answers.add(sha256(out_of_fold[["score", "days"]].to_numpy().tobytes()).hexdigest())
print(len(answers))
"""


@pytest.mark.parametrize("kind", ["dense", "sparse"])
def test_hundreds_of_cross_validations_in_one_process_give_one_answer(kind: str) -> None:
    assert _run(REPEATED, kind) == "1\n"


POOL = """
import multiprocessing
import sys
import numpy as np
from planted import NAMES, plant
from waste_risk.model.lightgbm_calls import fit, make_bins
from waste_risk.model.predictor import WastePredictor

features = plant(500, seed=3)[NAMES]
predictor = WastePredictor.load(sys.argv[1])

def answer(_):
    return predictor.predict(features)["waste_probability"].sum(), predictor.explain(features).to_numpy().sum()

if sys.argv[2] != "loaded":
    answer(0)
if sys.argv[2] == "trained on two threads":
    parameters = {"objective": "binary", "num_threads": 2, "verbosity": -1}
    X = np.random.default_rng(0).normal(size=(50_000, 5))
    fit(parameters, make_bins(X, (X[:, 0] > 0).astype(float), parameters, list("abcde")), 5)
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(len(set(pool.map(answer, range(20))) | {answer(0)}))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("parent", ["loaded", "predicted", "trained on two threads"])
def test_a_pool_of_forked_workers_answers(tmp_path: Path, parent: str) -> None:
    folds = {"n_train": [1_000], "rounds_classifier": [20], "rounds_regressor": [20]}
    identity = Calibrator("isotonic", (0.0, 1.0), (0.0, 1.0))
    development = plant(1_000)
    predictor = fit_predictor(
        development, development.iloc[:1].assign(**folds), identity, 0.5, TRAINING, RISK_CLASSES, OBSERVATION
    )
    predictor.save(tmp_path / "predictor")
    assert _run(POOL, str(tmp_path / "predictor"), parent) == "1\n"


def _run(program: str, *arguments: str) -> str:
    paths = os.pathsep.join(str(ROOT / folder) for folder in ("src", "tests"))
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


X = np.random.default_rng(0).normal(size=(2_000, 6))
LABEL = (X[:, 0] * X[:, 1] > 0).astype(float)


def _fit(n_threads: int) -> str:
    parameters = {"objective": "binary", "num_threads": n_threads, "deterministic": True, "verbosity": -1}
    return str(fit(parameters, make_bins(X, LABEL, parameters, list("abcdef")), 10).model_to_string())


def test_calls_of_all_kinds_at_once_give_what_each_gives_alone() -> None:
    models = {1: _fit(1), 2: _fit(2)}
    booster = read(models[1])
    calls: list[Callable[[], object]] = [
        lambda: _fit(1),
        lambda: _fit(2),
        lambda: predict(booster, X).tobytes(),
        lambda: contributions(booster, X[:50]).tobytes(),
        lambda: read(models[1]).model_to_string(),
        lambda: predict(read(models[2]), X[:1]).tobytes(),
    ]
    alone = [call() for call in calls]
    with ThreadPoolExecutor(12) as pool:
        together = list(pool.map(lambda call: call(), calls * 30))
    assert together == alone * 30


def test_the_limit_holds_for_as_long_as_a_call_runs_and_is_one_thread_otherwise() -> None:
    def watch(n_threads: int) -> set[int]:
        with _LIMIT.raised_to(n_threads):
            return {limit() for _ in range(200)} | {n_threads}

    def limit() -> int:
        found = ctypes.c_int(0)
        _LIB.LGBM_GetMaxThreads(ctypes.byref(found))  # gives the other threads their turn
        return found.value

    wanted = [1, 2, 1, 3, 2, 2, 1] * 40
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(watch, wanted)) == [{n_threads} for n_threads in wanted]
    assert limit() == 1


def test_a_call_that_fails_gives_its_threads_back() -> None:
    parameters = {"objective": "nonsense", "num_threads": 2, "verbosity": -1}
    with pytest.raises(Exception, match="nonsense"):
        fit(parameters, make_bins(X, LABEL, parameters, list("abcdef")), 1)
    assert predict(read(_fit(1)), X).shape == (2_000,)


def test_nothing_has_contributions_of_no_rows() -> None:
    assert contributions(read(_fit(1)), X[:0]).shape == (0, 7)
