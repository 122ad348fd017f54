"""A search as an Optuna study: TPE proposes trials, evaluated fold by fold and pruned early; it resumes after a kill.

The next proposal follows from the finished trials alone: each trial runs in memory on a copy of them, with a sampler
seeded by their number, and is written in one transaction when it has finished. So a kill costs the trial that was
running and leaves nothing to clean up.
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

# The AUC of the classifier's hyperparameters on a fold, numbered from 1.
Evaluate = Callable[[LightGBM, int], float]

CONFIGURED = "configured"  # marks the trial of the configured values
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
N_RANDOM = 10  # trials before TPE has enough to learn from
N_KEPT_FIRST = 4  # completed trials before one is pruned: a share of fewer says little


class FoldPruner(optuna.pruners.BasePruner):
    """Prunes a trial whose mean over the folds so far is not among the best share of the completed trials' means.

    Optuna's PercentilePruner compares a trial's best fold, and folds differ more than trials do.

    Args:
        keep_share: this share of the completed trials, the best, is what a trial must be among.
    """

    def __init__(self, keep_share: float) -> None:
        self._keep_share = keep_share

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Return whether to prune the trial."""
        completed = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        if len(completed) < N_KEPT_FIRST:
            return False
        n_folds = len(trial.intermediate_values)
        bar = np.quantile([_mean_of_first(other, n_folds) for other in completed], 1 - self._keep_share)
        return bool(_mean_of_first(trial, n_folds) < bar)


def begin(studies: Studies, name: str) -> None:
    """Create the study if it is new; once, before any worker starts.

    Raises:
        StudyError: the studies cannot be read or written.
    """
    with studies.open() as storage:
        optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)


def work(
    studies: Studies, name: str, evaluate: Evaluate, configured: LightGBM, tuning: Tuning, *, worker: int = 0
) -> None:
    """Run trials until the study has ``tuning.n_trials`` finished ones, and write each when it has finished.

    Args:
        studies: holds the study, which ``begin`` has created.
        name: of the study.
        evaluate: returns the AUC of the classifier's hyperparameters on a fold, numbered from 1.
        configured: the classifier's hyperparameters; those in the space are searched for.
        tuning: number of trials and folds, space, and what is pruned.
        worker: number of this worker among those that work on the study at once; the first, 0, tries the configured
            values.

    Raises:
        StudyError: the studies cannot be read or written.
    """
    parent = parent_process()  # of a worker in a process of its own, which ends with it
    with studies.open() as storage:
        kept = optuna.load_study(storage=storage, study_name=name)
        finished = kept.get_trials(deepcopy=False, states=FINISHED)
        while len(finished) < tuning.n_trials and (parent is None or parent.is_alive()):
            kept.add_trial(_next(finished, evaluate, configured, tuning, worker))
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
    """Return the hyperparameters with the highest value; of equals the first, so the configured ones unless beaten."""
    best = _best_value(finished)
    winners = [trial for trial in finished if trial.state is TrialState.COMPLETE and trial.value == best]
    return values_of(winners[0], configured) if winners else configured


def values_of(trial: Trial | FrozenTrial, configured: LightGBM) -> LightGBM:
    """Return the hyperparameters that a trial has tried: the configured ones exactly, even outside of the space."""
    return configured if CONFIGURED in trial.user_attrs else configured.model_copy(update=trial.params)


def nearest(configured: LightGBM, space: Space) -> dict[str, float]:
    """Return the point of the space that represents the configured values to the sampler.

    Values outside of the space move to its edge; unlimited depth (0 or less) becomes the greatest depth. With a depth
    of -1 instead, TPE would look for similar values among the shallowest trees.
    """
    ranges = {name: getattr(space, name) for name in Space.model_fields}
    values = {name: getattr(configured, name) for name in ranges}
    if configured.max_depth <= 0:
        values["max_depth"] = space.max_depth.high
    return {name: min(max(values[name], span.low), span.high) for name, span in ranges.items()}


def distributions(space: Space) -> dict[str, BaseDistribution]:
    """Convert the space to Optuna's distributions."""
    found: dict[str, BaseDistribution] = {}
    for name in Space.model_fields:
        span: IntRange | FloatRange = getattr(space, name)
        if isinstance(span, IntRange):
            found[name] = IntDistribution(span.low, span.high)
        else:
            found[name] = FloatDistribution(span.low, span.high, log=span.log)
    return found


def _next(
    finished: Sequence[FrozenTrial], evaluate: Evaluate, configured: LightGBM, tuning: Tuning, worker: int
) -> FrozenTrial:
    """Run one trial in memory, so that one which does not finish leaves no trace."""
    sampler = _sampler(tuning, len(finished), worker)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=FoldPruner(tuning.keep_share))
    study.add_trials(finished)
    if worker == 0 and not any(CONFIGURED in trial.user_attrs for trial in finished):
        study.enqueue_trial(nearest(configured, tuning.space), user_attrs={CONFIGURED: True})
    trial = study.ask(distributions(tuning.space))
    value = _evaluate_by_folds(trial, evaluate, values_of(trial, configured), tuning.n_folds)
    return study.tell(trial, value, TrialState.PRUNED if value is None else TrialState.COMPLETE)


def _sampler(tuning: Tuning, n_finished: int, worker: int) -> optuna.samplers.TPESampler:
    seed = int(np.random.SeedSequence([tuning.seed, n_finished, worker]).generate_state(1)[0])
    return optuna.samplers.TPESampler(
        seed=seed,
        multivariate=True,  # the hyperparameters interact
        group=False,  # every trial has all of them
        constant_liar=False,  # nobody sees a trial that is running; workers draw by seeds of their own
        n_startup_trials=N_RANDOM,
        n_ei_candidates=24,
    )


def _evaluate_by_folds(trial: Trial, evaluate: Evaluate, classifier: LightGBM, n_folds: int) -> float | None:
    aucs: list[float] = []
    for fold in range(1, n_folds + 1):
        aucs.append(evaluate(classifier, fold))
        trial.report(aucs[-1], step=fold)
        if fold < n_folds and trial.should_prune():
            return None
    return fmean(aucs)


def _best_value(finished: Sequence[FrozenTrial]) -> float | None:
    values = (trial.value for trial in finished if trial.state is TrialState.COMPLETE)
    return max((value for value in values if value is not None), default=None)


def _mean_of_first(trial: FrozenTrial, n_folds: int) -> float:
    return fmean(trial.intermediate_values[fold] for fold in range(1, n_folds + 1))
