"""A search as a study of Optuna: proposed by TPE, judged fold by fold, given up early, and gone on with after a kill.

What is proposed next follows from the finished trials alone. A trial that was killed has used up its number, but no
draw: each trial gets a sampler of its own, seeded by how many trials have finished.
"""

from collections.abc import Callable, Sequence
from multiprocessing import parent_process
from statistics import fmean

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, Trial, TrialState

from waste_risk.parameters import FloatRange, IntRange, LightGBM, Space, Tuning
from waste_risk.studies import Studies

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


def begin(studies: Studies, name: str, configured: LightGBM, tuning: Tuning) -> None:
    """Make the study if it is new, clear up after a kill, and see that the configured values are tried first.

    Raises:
        StudyError: the studies cannot be read or written.
    """
    with studies.open() as storage:
        study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
        for stale in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(stale.number, state=TrialState.FAIL)
        alive = study.get_trials(deepcopy=False, states=(*FINISHED, TrialState.WAITING))
        if not any(CONFIGURED in trial.user_attrs for trial in alive):
            study.enqueue_trial(nearest(configured, tuning.space), user_attrs={CONFIGURED: True})


def work(studies: Studies, name: str, judge: Judge, configured: LightGBM, tuning: Tuning, *, worker: int = 0) -> None:
    """Run trials until the study has as many finished ones as are wanted.

    Args:
        studies: holds the study, which ``begin`` has made.
        name: of the study.
        judge: the value of a classifier's knobs on a fold, numbered from 1.
        configured: the classifier's knobs; those in the space are searched for.
        tuning: how to search.
        worker: its number among those that work on the study at once.

    Raises:
        StudyError: the studies cannot be read or written.
    """
    with studies.open() as storage:
        study = optuna.load_study(storage=storage, study_name=name, pruner=FoldPruner(tuning.keep_share))
        while (n_begun := _count(study, *FINISHED, TrialState.RUNNING)) < tuning.n_trials and not _is_orphan():
            study.sampler = _sampler(tuning, n_begun, worker)
            trial = study.ask(distributions(tuning.space))
            value = _run(trial, judge, configured, tuning)
            study.tell(trial, value, TrialState.PRUNED if value is None else TrialState.COMPLETE)
            _report(studies, study, tuning.n_trials)


def read(studies: Studies, name: str, n_trials: int) -> list[FrozenTrial]:
    """Return the first finished trials of a study, the oldest first.

    Raises:
        StudyError: the studies cannot be read.
    """
    with studies.open() as storage:
        return optuna.load_study(storage=storage, study_name=name).get_trials(states=FINISHED)[:n_trials]


def choose(finished: Sequence[FrozenTrial], configured: LightGBM) -> LightGBM:
    """Give the knobs with the highest value; of equals the first, so the configured ones stay unless beaten."""
    completed = [trial for trial in finished if trial.state is TrialState.COMPLETE]
    return values_of(max(completed, key=lambda trial: trial.value or 0.0), configured) if completed else configured


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


def _sampler(tuning: Tuning, n_begun: int, worker: int) -> optuna.samplers.TPESampler:
    seed = int(np.random.SeedSequence([tuning.seed, n_begun, worker]).generate_state(1)[0])
    return optuna.samplers.TPESampler(
        seed=seed,
        multivariate=True,  # the knobs work together
        group=False,  # every trial has all of them
        constant_liar=tuning.n_workers > 1,  # keeps workers apart; one alone has no trial running beside it
        n_startup_trials=N_RANDOM,
        n_ei_candidates=24,
    )


def _run(trial: Trial, judge: Judge, configured: LightGBM, tuning: Tuning) -> float | None:
    knobs = values_of(trial, configured)
    aucs: list[float] = []
    for fold in range(1, tuning.n_folds + 1):
        aucs.append(judge(knobs, fold))
        trial.report(aucs[-1], step=fold)
        if fold < tuning.n_folds and trial.should_prune():
            return None
    return fmean(aucs)


def _count(study: optuna.Study, *states: TrialState) -> int:
    return len(study.get_trials(deepcopy=False, states=states))


def _mean_of_first(trial: FrozenTrial, n_folds: int) -> float:
    return fmean(trial.intermediate_values[fold] for fold in range(1, n_folds + 1))


def _report(studies: Studies, study: optuna.Study, n_trials: int) -> None:
    finished = study.get_trials(deepcopy=False, states=FINISHED)
    completed = [trial.value for trial in finished if trial.state is TrialState.COMPLETE and trial.value is not None]
    studies.watch(min(len(finished), n_trials), n_trials, max(completed, default=None))


def _is_orphan() -> bool:
    parent = parent_process()
    return parent is not None and not parent.is_alive()
