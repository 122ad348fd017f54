"""A search as a study of Optuna: proposed by TPE, judged fold by fold, given up early, and gone on with after a kill.

What is proposed next follows from the finished trials alone: each trial runs in memory on a copy of them, with a
sampler seeded by their number, and is written in one transaction when it has finished. So a kill costs the trial that
was running and leaves nothing to clear up.
"""

from collections.abc import Callable, Sequence
from multiprocessing import parent_process
from statistics import fmean

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, Trial, TrialState

from waste_risk.parameters import FloatRange, IntRange, LightGBM, Space, Tuning
from waste_risk.training.tuning.studies import Studies

Judge = Callable[[LightGBM, int], float]

CONFIGURED = "configured"  # marks the trial of the configured values
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
N_RANDOM = 10  # trials before TPE has enough to learn from
N_KEPT_FIRST = 4  # completed trials before one is given up: a share of fewer says little


class FoldPruner(optuna.pruners.BasePruner):
    """Gives a trial up if its mean over the folds so far is not among the best share of the completed trials'.

    Optuna's PercentilePruner compares a trial's best fold, and folds differ more than trials do.
    """

    def __init__(self, keep_share: float) -> None:
        """``keep_share`` of the completed trials are good enough to be joined."""
        self._keep_share = keep_share

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Say whether to give up the trial."""
        completed = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(completed) < N_KEPT_FIRST:
            return False
        n_folds = len(trial.intermediate_values)
        bar = np.quantile([_mean_of_first(other, n_folds) for other in completed], 1 - self._keep_share)
        return bool(_mean_of_first(trial, n_folds) < bar)


def begin(studies: Studies, name: str) -> None:
    """Make the study if it is new; once, before any worker starts.

    Raises:
        StudyError: the studies cannot be read or written.
    """
    with studies.open() as storage:
        optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)


def work(studies: Studies, name: str, judge: Judge, configured: LightGBM, tuning: Tuning, *, worker: int = 0) -> None:
    """Run trials until the study has as many finished ones as are wanted, and write each when it has finished.

    Args:
        studies: holds the study, which ``begin`` has made.
        name: of the study.
        judge: the value of a classifier's knobs on a fold, numbered from 1.
        configured: the classifier's knobs; those in the space are searched for.
        tuning: how to search.
        worker: its number among those that work on the study at once; the first one tries the configured values.

    Raises:
        StudyError: the studies cannot be read or written.
    """
    with studies.open() as storage:
        kept = optuna.load_study(storage=storage, study_name=name)
        finished = kept.get_trials(deepcopy=False, states=FINISHED)
        while len(finished) < tuning.n_trials and not _is_orphan():
            kept.add_trial(_next(finished, judge, configured, tuning, worker))
            finished = kept.get_trials(deepcopy=False, states=FINISHED)
            studies.watch(min(len(finished), tuning.n_trials), tuning.n_trials, _best_value(finished))


def read(studies: Studies, name: str, n_trials: int) -> list[FrozenTrial]:
    """Return the first finished trials of a study: the configured values, then the others, the oldest first.

    Raises:
        StudyError: the studies cannot be read.
    """
    with studies.open() as storage:
        finished = optuna.load_study(storage=storage, study_name=name).get_trials(states=FINISHED)
    # Among several workers, another one may be faster than the one that tries the configured values.
    return sorted(finished, key=lambda trial: CONFIGURED not in trial.user_attrs)[:n_trials]


def choose(finished: Sequence[FrozenTrial], configured: LightGBM) -> LightGBM:
    """Give the knobs with the highest value; of equals the first, so the configured ones stay unless beaten."""
    best = _best_value(finished)
    winners = [trial for trial in finished if trial.state is TrialState.COMPLETE and trial.value == best]
    return values_of(winners[0], configured) if winners else configured


def values_of(trial: Trial | FrozenTrial, configured: LightGBM) -> LightGBM:
    """Give the knobs that a trial has tried: the configured ones exactly, wherever they lie."""
    return configured if CONFIGURED in trial.user_attrs else configured.model_copy(update=trial.params)


def nearest(configured: LightGBM, space: Space) -> dict[str, float]:
    """Find the point of the space that stands for the configured values in what the sampler learns.

    Values outside of the space move to its edge; no limit of depth (0 or less) is next to the deepest. Told of a depth
    of -1 instead, TPE would look for more like it among the flattest trees.
    """
    ranges = {knob: getattr(space, knob) for knob in Space.model_fields}
    values = {knob: getattr(configured, knob) for knob in ranges}
    if configured.max_depth <= 0:
        values["max_depth"] = space.max_depth.high
    return {knob: min(max(values[knob], span.low), span.high) for knob, span in ranges.items()}


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Say the space in Optuna's words."""
    return {knob: _distribution(getattr(space, knob)) for knob in Space.model_fields}


def _distribution(span: IntRange | FloatRange) -> BaseDistribution:
    if isinstance(span, IntRange):
        return IntDistribution(span.low, span.high)
    return FloatDistribution(span.low, span.high, log=span.log)


def _next(
    finished: Sequence[FrozenTrial], judge: Judge, configured: LightGBM, tuning: Tuning, worker: int
) -> FrozenTrial:
    """Run one trial in memory: what has been proposed but not finished leaves no trace."""
    sampler = _sampler(tuning, len(finished), worker)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=FoldPruner(tuning.keep_share))
    study.add_trials(finished)
    if worker == 0 and not any(CONFIGURED in trial.user_attrs for trial in finished):
        study.enqueue_trial(nearest(configured, tuning.space), user_attrs={CONFIGURED: True})
    trial = study.ask(distributions(tuning.space))
    value = _judge_by_folds(trial, judge, values_of(trial, configured), tuning.n_folds)
    return study.tell(trial, value, TrialState.PRUNED if value is None else TrialState.COMPLETE)


def _sampler(tuning: Tuning, n_finished: int, worker: int) -> optuna.samplers.TPESampler:
    seed = int(np.random.SeedSequence([tuning.seed, n_finished, worker]).generate_state(1)[0])
    return optuna.samplers.TPESampler(
        seed=seed,
        multivariate=True,  # the knobs work together
        group=False,  # every trial has all of them
        constant_liar=False,  # nobody sees a trial that is running; workers draw by seeds of their own
        n_startup_trials=N_RANDOM,
        n_ei_candidates=24,
    )


def _judge_by_folds(trial: Trial, judge: Judge, knobs: LightGBM, n_folds: int) -> float | None:
    aucs: list[float] = []
    for fold in range(1, n_folds + 1):
        aucs.append(judge(knobs, fold))
        trial.report(aucs[-1], step=fold)
        if fold < n_folds and trial.should_prune():
            return None
    return fmean(aucs)


def _best_value(finished: Sequence[FrozenTrial]) -> float | None:
    values = (trial.value for trial in finished if trial.state is TrialState.COMPLETE)
    return max((value for value in values if value is not None), default=None)


def _mean_of_first(trial: FrozenTrial, n_folds: int) -> float:
    return fmean(trial.intermediate_values[fold] for fold in range(1, n_folds + 1))


def _is_orphan() -> bool:
    parent = parent_process()
    return parent is not None and not parent.is_alive()
