"""The search for hyperparameters: what it tries, on which rows, what it keeps and how it is resumed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial
from planted import NUMBER, OBSERVATION, SPLIT, plant
from searching import N_ROWS, QUICK, SPACE, TUNING, environment, finished, kill_at_evaluation, tune
from sklearn.metrics import roc_auc_score

from waste_risk.parameters import IntRange, LightGBM, Training
from waste_risk.training.splits import PurgedTimeSeriesSplit
from waste_risk.training.tuning import search
from waste_risk.training.tuning.hyperparameters import (
    HYPERPARAMETERS,
    evaluate_fold,
    hash_files,
    name_study,
    prepare_folds,
    tune_hyperparameters,
    with_values,
)
from waste_risk.training.tuning.studies import Studies


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'studies.db'}"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Training, pd.DataFrame]:
    """A search that nothing interrupts, long enough for TPE to take over from chance."""
    url = f"sqlite:///{tmp_path_factory.mktemp('whole') / 'studies.db'}"
    return url, *tune(url, 14)


class TestWithoutTrials:
    def test_the_configured_values_stay_and_there_is_a_table_without_rows(self, url: str) -> None:
        training, trials = tune(url, 0)
        assert training is QUICK
        assert trials.columns.tolist() == ["number", "state", "value", "fold_1", "fold_2", *HYPERPARAMETERS]
        assert trials.empty

    def test_no_study_is_made_and_optuna_is_not_loaded(self, tmp_path: Path) -> None:
        program = (
            "import searching, sys\n"
            "searching.tune(sys.argv[1], 0)\n"
            "assert not [name for name in sys.modules if name.startswith('optuna')]\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", program, f"sqlite:///{tmp_path / 'folder/studies.db'}"],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert list(tmp_path.iterdir()) == []


class TestTheFirstTrial:
    def test_it_tries_exactly_the_configured_values(self, whole: tuple[str, Training, pd.DataFrame]) -> None:
        first = whole[2].iloc[0]
        configured = QUICK.classifier.model_dump(include=set(HYPERPARAMETERS))
        assert {name: first[name] for name in HYPERPARAMETERS} == configured
        assert first["max_depth"] == -1  # outside of the space
        folds = prepare_folds(plant(N_ROWS), QUICK, SPLIT, OBSERVATION, TUNING)
        assert [first["fold_1"], first["fold_2"]] == [evaluate_fold(fold, QUICK) for fold in folds]

    @pytest.mark.parametrize(
        ("configured", "expected"),
        [
            ({"max_depth": -1}, {"max_depth": 5}),
            ({"max_depth": 0}, {"max_depth": 5}),
            ({"max_depth": 1}, {"max_depth": 2}),
            ({"max_depth": 3}, {"max_depth": 3}),
            ({"lambda_l1": 7.0, "num_leaves": 31}, {"lambda_l1": 2.0, "num_leaves": 12}),
        ],
    )
    def test_the_sampler_sees_it_at_the_nearest_point_of_the_space(
        self, configured: dict[str, float], expected: dict[str, float]
    ) -> None:
        point = search.nearest(QUICK.classifier.model_copy(update=configured), SPACE)
        assert {name: point[name] for name in expected} == expected
        assert all(distribution._contains(point[name]) for name, distribution in search.distributions(SPACE).items())

    def test_values_that_nothing_beats_stay(self, url: str) -> None:
        blind = SPACE.model_copy(update={"min_data_in_leaf": IntRange(low=5_000, high=5_000)})  # no tree can split
        kept, trials = tune(url, 3, space=blind)
        assert kept == QUICK
        assert trials["value"].idxmax() == 0


class TestTheRows:
    def test_no_label_known_after_the_newest_outer_fold_begins_has_a_say(self, url: str) -> None:
        rows = plant(N_ROWS)
        outer = PurgedTimeSeriesSplit(SPLIT.n_folds, OBSERVATION.horizon_days)
        *_, (known, newest) = outer.split(rows, rows["wasted"], rows["observed_on"])
        begins = rows["observed_on"].iloc[newest].min()
        late = (rows["label_known_on"] > begins).to_numpy()
        assert known.max() < newest.min()
        assert late.sum() > len(newest)
        other = rows.assign(wasted=rows["wasted"] ^ late).assign(**{NUMBER: rows[NUMBER].mask(late, 9.0)})
        _, before = tune(url, 3, rows=rows)
        _, after = tune(url, 3, rows=other)
        pd.testing.assert_frame_equal(before, after, check_exact=True)

    def test_an_auc_is_that_of_scikit_learn_over_the_rows_of_the_fold(self) -> None:
        rows = plant(N_ROWS)
        (_, newest) = prepare_folds(rows, QUICK, SPLIT, OBSERVATION, TUNING)
        outer = PurgedTimeSeriesSplit(SPLIT.n_folds, OBSERVATION.horizon_days)
        *_, (known, _) = outer.split(rows, rows["wasted"], rows["observed_on"])
        inner = rows.iloc[known]
        *_, (_, validation) = PurgedTimeSeriesSplit(2, 30).split(inner, inner["wasted"], inner["observed_on"])
        np.testing.assert_array_equal(newest.wasted, inner["wasted"].iloc[validation])
        single = newest.validation[:, [list(rows.columns).index(NUMBER) - 3]]
        assert roc_auc_score(newest.wasted, single) == pytest.approx(evaluate_fold(newest, QUICK), abs=0.15)
        assert evaluate_fold(newest, QUICK) > 0.7

    @pytest.mark.parametrize(
        "changes",
        [
            {"min_data_in_leaf": 100, "num_leaves": 3},
            {"learning_rate": 0.5, "max_depth": 2},
            {"feature_fraction": 0.5, "bagging_fraction": 0.5, "lambda_l1": 2.0, "lambda_l2": 0.0},
        ],
    )
    def test_bins_that_other_trials_have_used_give_the_bits_of_bins_made_anew(self, changes: dict[str, float]) -> None:
        training = with_values(QUICK, QUICK.classifier.model_copy(update=changes))
        used = prepare_folds(plant(N_ROWS), QUICK, SPLIT, OBSERVATION, TUNING)
        before = [evaluate_fold(fold, QUICK) for fold in used]
        again = [evaluate_fold(fold, training) for fold in used]
        fresh = prepare_folds(plant(N_ROWS), training, SPLIT, OBSERVATION, TUNING)
        anew = [evaluate_fold(fold, training) for fold in fresh]
        assert again == anew
        assert [evaluate_fold(fold, QUICK) for fold in used] == before


class TestTheBest:
    def test_its_values_come_back_and_nothing_else_changes(self, whole: tuple[str, Training, pd.DataFrame]) -> None:
        _, training, trials = whole
        best = trials.loc[trials["value"].idxmax()]
        assert best["state"] == "complete"
        expected = QUICK.classifier.model_copy(update={name: best[name] for name in HYPERPARAMETERS})
        assert training == with_values(QUICK, expected)

    @pytest.mark.parametrize(
        ("values", "expected"), [([0.8, 0.9], 8), ([0.9, 0.8], 7), ([0.8, 0.8], 7), ([0.7, 0.8, 0.8], 8)]
    )
    def test_the_highest_wins_and_of_equals_the_first(self, values: list[float], expected: int) -> None:
        trials = [completed(value, num_leaves=6 + number) for number, value in enumerate(values, start=1)]
        trials[0].user_attrs[search.CONFIGURED] = True
        configured = QUICK.classifier.model_copy(update={"num_leaves": 7})
        assert search.choose(trials, configured).num_leaves == expected

    def test_a_pruned_trial_is_never_the_best(self) -> None:
        pruned = create_trial(state=TrialState.PRUNED, value=0.99, intermediate_values={1: 0.99})
        assert search.choose([pruned], QUICK.classifier) == QUICK.classifier

    def test_its_value_is_the_mean_over_its_folds(self, whole: tuple[str, Training, pd.DataFrame]) -> None:
        trials = whole[2]
        complete = trials["state"] == "complete"
        np.testing.assert_allclose(trials["value"], trials[["fold_1", "fold_2"]].mean(axis=1).where(complete))
        assert trials.loc[~complete, "fold_2"].isna().all()
        assert set(trials["state"]) == {"complete", "pruned"}


def completed(*folds: float, num_leaves: int = 7) -> FrozenTrial:
    return create_trial(
        value=float(np.mean(folds)),
        intermediate_values=dict(enumerate(folds, start=1)),
        params={"num_leaves": num_leaves},
        distributions={"num_leaves": search.distributions(SPACE)["num_leaves"]},
    )


class TestPruning:
    @pytest.mark.parametrize(
        ("so_far", "keep_share", "pruned"),
        [
            ([0.839], 0.25, True),
            ([0.84], 0.25, False),  # as good as the worst of the best quarter
            ([0.83], 0.5, False),
            ([0.90, 0.60], 0.25, True),  # a good first fold does not hide a bad second one
            ([0.70, 0.99], 0.25, False),
        ],
    )
    def test_the_mean_so_far_must_be_among_the_best_completed(
        self, so_far: list[float], keep_share: float, pruned: bool
    ) -> None:
        study = optuna.create_study(direction="maximize")
        study.add_trials([completed(auc, auc - 0.01) for auc in (0.80, 0.82, 0.83, 0.84, 0.85)])
        trial = create_trial(state=TrialState.RUNNING, intermediate_values=dict(enumerate(so_far, start=1)))
        assert search.FoldPruner(keep_share).prune(study, trial) is pruned

    def test_the_first_trials_are_completed_whatever_they_are_worth(self) -> None:
        study = optuna.create_study(direction="maximize")
        study.add_trials([completed(0.9)] * (search.N_KEPT_FIRST - 1))
        trial = create_trial(state=TrialState.RUNNING, intermediate_values={1: 0.5})
        assert not search.FoldPruner(0.25).prune(study, trial)


class TestResuming:
    def test_a_search_killed_in_its_first_trial_and_again_later_ends_as_one_that_was_not(
        self, url: str, whole: tuple[str, Training, pd.DataFrame]
    ) -> None:
        whole_url, training, trials = whole
        kill_at_evaluation(2, url)  # in the second fold of the configured values
        assert finished(url) == []
        kill_at_evaluation(19, url)  # among the trials that TPE proposes
        (study,) = optuna.get_all_study_summaries(url)
        before = optuna.load_study(storage=url, study_name=study.study_name).trials
        assert search.N_RANDOM < len(before) < 14
        assert {trial.state for trial in before} == set(search.FINISHED)
        resumed, again = tune(url, 14)
        assert finished(url) == finished(whole_url)
        assert resumed == training
        pd.testing.assert_frame_equal(again, trials, check_exact=True)

    def test_a_study_of_few_trials_is_the_beginning_of_one_of_many(
        self, url: str, whole: tuple[str, Training, pd.DataFrame]
    ) -> None:
        _, first = tune(url, 5)
        _, extended = tune(url, 14)
        _, first_again = tune(url, 5)
        pd.testing.assert_frame_equal(extended, whole[2], check_exact=True)
        pd.testing.assert_frame_equal(first, whole[2].head(5), check_exact=True)
        pd.testing.assert_frame_equal(first_again, first, check_exact=True)

    def test_a_study_that_has_its_trials_runs_none(self, whole: tuple[str, Training, pd.DataFrame]) -> None:
        seen: list[int] = []
        tuning = TUNING.model_copy(update={"n_trials": 14})
        studies = Studies(whole[0], watch=lambda done, _wanted, _best: seen.append(done))
        tune_hyperparameters(plant(N_ROWS), QUICK, SPLIT, OBSERVATION, tuning, studies)
        assert seen == []

    def test_whoever_watches_is_told_of_each_trial_and_the_best_so_far(self, url: str) -> None:
        seen: list[tuple[int, int, float | None]] = []
        studies = Studies(url, watch=lambda *told: seen.append(told))
        _, trials = tune_hyperparameters(plant(N_ROWS), QUICK, SPLIT, OBSERVATION, TUNING, studies)
        assert [(done, wanted) for done, wanted, _ in seen] == [(number, 6) for number in range(1, 7)]
        assert [best for _, _, best in seen] == trials["value"].cummax().ffill().tolist()

    def test_another_seed_tries_other_values_after_the_configured_ones(
        self, url: str, whole: tuple[str, Training, pd.DataFrame]
    ) -> None:
        _, other = tune(url, 3, seed=4)
        assert other.loc[0].equals(whole[2].loc[0])
        assert not set(other.loc[1:, "lambda_l1"]) & set(whole[2]["lambda_l1"])

    def test_several_workers_reach_the_number_on_one_study(self, url: str) -> None:
        _, trials = tune(url, 6, n_workers=2)
        assert len(trials) == 6
        assert (trials["max_depth"] == -1).sum() == 1
        assert trials["lambda_l1"].nunique() == 6

    def test_the_configured_values_are_among_the_trials_even_if_another_worker_was_faster(self, url: str) -> None:
        configured = completed(0.7)
        configured.user_attrs[search.CONFIGURED] = True
        search.begin(Studies(url), "any")
        optuna.load_study(storage=url, study_name="any").add_trials([completed(0.8), completed(0.9), configured])
        assert [trial.value for trial in search.read(Studies(url), "any", 2)] == [0.7, 0.8]


CLASSIFIER: LightGBM = QUICK.classifier
NAME_ARGUMENTS: dict[str, Any] = {"training": QUICK, "split": SPLIT, "observation": OBSERVATION, "tuning": TUNING}


def name(rows: pd.DataFrame, **changes: Any) -> str:
    return name_study(rows, **{**NAME_ARGUMENTS, **changes})


class TestTheName:
    @pytest.mark.parametrize(
        "changes",
        [
            {"training": with_values(QUICK, CLASSIFIER.model_copy(update={"lambda_l1": 0.25}))},
            {"training": QUICK.model_copy(update={"seed": 8})},
            {"training": QUICK.model_copy(update={"early_stopping_share": 0.3})},
            {"split": SPLIT.model_copy(update={"n_folds": 4})},
            {"observation": OBSERVATION.model_copy(update={"horizon_days": 20})},
            {"tuning": TUNING.model_copy(update={"seed": 4})},
            {"tuning": TUNING.model_copy(update={"n_folds": 3})},
            {"tuning": TUNING.model_copy(update={"keep_share": 0.5})},
            {"tuning": TUNING.model_copy(update={"n_workers": 2})},
            {
                "tuning": TUNING.model_copy(
                    update={"space": SPACE.model_copy(update={"max_depth": IntRange(low=2, high=6)})}
                )
            },
        ],
    )
    def test_what_decides_a_trial_makes_another_study(self, changes: dict[str, object]) -> None:
        rows = plant(200)
        assert name(rows, **changes) != name(rows)

    def test_other_rows_make_another_study(self) -> None:
        rows = plant(200)
        assert name(rows.assign(**{NUMBER: rows[NUMBER] + 1})) != name(rows)

    @pytest.mark.parametrize(
        "changes",
        [
            {"training": QUICK.model_copy(update={"num_threads": 2, "explain_rows": 5})},
            {"training": QUICK.model_copy(update={"regressor": CLASSIFIER.model_copy(update={"num_leaves": 50})})},
            {"tuning": TUNING.model_copy(update={"n_trials": 100, "nested_runs": True})},
        ],
    )
    def test_what_decides_none_resumes_the_study(self, changes: dict[str, object]) -> None:
        rows = plant(200)
        assert name(rows, **changes) == name(rows)

    def test_more_workers_resume_the_study_of_several(self) -> None:
        two, three = (TUNING.model_copy(update={"n_workers": number}) for number in (2, 3))
        assert name(plant(200), tuning=two) == name(plant(200), tuning=three)

    def test_changed_code_has_another_hash(self, tmp_path: Path) -> None:
        files = [tmp_path / "a.py", tmp_path / "b.py"]
        for file in files:
            file.write_text("x = 1\n")
        before = hash_files(files)
        files[1].write_text("x = 2\n")
        assert hash_files(files) != before
