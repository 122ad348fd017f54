"""A study on a PostgreSQL server: the same trials as in a file, many processes, and one line when it cannot be used."""

import pandas as pd
import pytest
from planted import OBSERVATION, SPLIT, plant
from postgres_server import PASSWORD, execute
from searching import N_ROWS, QUICK, TUNING, finished, kill_at_evaluation, tune
from sqlalchemy import URL, make_url

from waste_risk.errors import StudyError
from waste_risk.parameters import Training
from waste_risk.training.tuning import search
from waste_risk.training.tuning.hyperparameters import HYPERPARAMETERS, tune_hyperparameters
from waste_risk.training.tuning.studies import Studies


@pytest.fixture(scope="module")
def in_a_file(tmp_path_factory: pytest.TempPathFactory) -> tuple[Training, pd.DataFrame]:
    """A search long enough for TPE to take over from chance."""
    return tune(f"sqlite:///{tmp_path_factory.mktemp('file') / 'studies.db'}", 14)


def test_one_worker_tries_the_same_as_in_a_file(database: str, in_a_file: tuple[Training, pd.DataFrame]) -> None:
    training, trials = tune(database, 14)
    assert training == in_a_file[0]
    pd.testing.assert_frame_equal(trials, in_a_file[1], check_exact=True)


def test_a_killed_search_resumes_and_ends_the_same(database: str, in_a_file: tuple[Training, pd.DataFrame]) -> None:
    kill_at_evaluation(19, database)  # among the trials that TPE proposes
    assert search.N_RANDOM < len(finished(database)) < 14
    training, trials = tune(database, 14)
    assert training == in_a_file[0]
    pd.testing.assert_frame_equal(trials, in_a_file[1], check_exact=True)


def test_two_workers_reach_the_number_and_try_the_configured_values_once(database: str) -> None:
    _, trials = tune(database, 6, n_workers=2)
    assert trials["number"].tolist() == [0, 1, 2, 3, 4, 5]
    configured = QUICK.classifier.model_dump(include=set(HYPERPARAMETERS))
    assert {name: trials.loc[0, name] for name in HYPERPARAMETERS} == configured
    assert trials["lambda_l1"].nunique() == 6
    assert 6 <= len(finished(database)) <= 7  # the other worker may have been within one
    assert set(trials["state"]) <= {"complete", "pruned"}


def test_a_search_survives_connections_closed_between_its_trials(database: str, postgresql: URL) -> None:
    closing = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{make_url(database).database}'"
    seen: list[int] = []

    def close_all(done: int, _wanted: int, _best: float | None) -> None:
        seen.append(done)
        execute(postgresql, closing)

    tune_hyperparameters(plant(N_ROWS), QUICK, SPLIT, OBSERVATION, TUNING, Studies(database, watch=close_all))
    assert seen == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": "wr0ng"}, 'password authentication failed for user "tester"'),
        ({"port": 1}, "Connection refused"),
        ({"database": "absent"}, 'database "absent" does not exist'),
    ],
)
def test_what_is_wrong_is_said_in_one_line_without_the_password(
    postgresql: URL, changes: dict[str, str | int], reason: str
) -> None:
    url = postgresql.set(**changes)  # type: ignore[arg-type]
    with pytest.raises(StudyError) as error:
        tune(url.render_as_string(hide_password=False))
    said = str(error.value)
    place = f"postgresql+psycopg://127.0.0.1:{url.port}/{url.database}"
    assert said.startswith(f"the studies at {place} cannot be used: connection failed: ")
    assert said.endswith(reason)
    assert "\n" not in said
    assert not [word for word in (PASSWORD, "s3cr3t", "wr0ng") if word in said]
    assert error.value.__suppress_context__
