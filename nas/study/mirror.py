"""Optuna's trials as the image of the project's own tables: for its dashboard, its plots and whoever reads them.

The project's tables come first in what they say. Whatever a crash left between the two is set right by `settle`.
"""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from nas.study.patience import patiently
from nas.study.records import Evaluation, Proposal, State
from nas.study.study import Study

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

WORKER = "nas_worker"
"""The attribute of Optuna's trials that names the worker who made them."""


@patiently
def make(
    study: Study, proposal: Proposal, distributions: Mapping[str, "BaseDistribution"], worker: int, result: Any = None
) -> int:
    """A trial in Optuna's tables with all its parameters, written at once; returns its number.

    Args:
        study: which one.
        proposal: what was decided.
        distributions: Optuna's distribution of each decision.
        worker: who made it.
        result: the value of a trial that is over already; None for one that is to be trained.
    """
    import optuna
    from optuna.trial import TrialState

    attributes = {WORKER: worker} | ({"reference": proposal.reference} if proposal.reference else {})
    template = optuna.trial.create_trial(
        state=TrialState.RUNNING if result is None else TrialState.COMPLETE,
        value=result,
        params=dict(proposal.decisions),
        distributions=dict(distributions),
        user_attrs=attributes,
        constraints=dict(proposal.constraints),
    )
    backend = study.storage.optuna
    with study.storage.guarded():
        made = backend.create_new_trial(_optunas(study), template)
        return backend.get_trial_number_from_id(made)


@patiently
def tell(study: Study, evaluation: Evaluation) -> None:
    """Tell Optuna how an evaluation ended. Telling again does nothing."""
    import optuna
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    backend = study.storage.optuna
    failed = evaluation.state is State.FAILED
    # An infeasible network has no Dice; Optuna ranks it by its constraints and asks for some value.
    values = None if failed else [evaluation.dice or 0.0]
    with study.storage.guarded():
        number = backend.get_trial_id_from_study_id_trial_number(_optunas(study), evaluation.trial)
        try:
            if evaluation.state is State.INFEASIBLE:
                known = backend.get_trial(number).constraints
                trial = optuna.trial.Trial(study.optuna_study(), number)
                for name, value in (evaluation.constraints or {}).items():
                    if name not in known:
                        trial.set_constraint(name, value)
            backend.set_trial_state_values(number, TrialState.FAIL if failed else TrialState.COMPLETE, values)
        except UpdateFinishedTrialError:
            return


@patiently
def fail(study: Study, trial: int) -> None:
    """End a trial of Optuna's that nothing came of."""
    from optuna.exceptions import UpdateFinishedTrialError
    from optuna.trial import TrialState

    backend = study.storage.optuna
    with study.storage.guarded():
        number = backend.get_trial_id_from_study_id_trial_number(_optunas(study), trial)
        try:
            backend.set_trial_state_values(number, TrialState.FAIL)
        except UpdateFinishedTrialError:
            return


def settle(study: Study, alive: Callable[[], Collection[int]] = tuple) -> int:
    """Bring Optuna's unfinished trials in line: tell what has ended here, fail what never began.

    Args:
        study: which one.
        alive: who else is at work, and may be about to put on record what Optuna has already. Asked after Optuna's
            trials are read, so that it knows the worker of each of them, however new.

    Returns:
        How many trials were changed.
    """
    changed = 0
    unfinished = _unfinished(study)
    at_work = alive() if unfinished else ()
    ended = {each.trial: each for each in study.of_trials(list(unfinished))}
    for trial, worker in unfinished.items():
        evaluation = ended.get(trial)
        if evaluation is None:
            if worker not in at_work and not (worker is None and at_work):
                fail(study, trial)
                changed += 1
        elif evaluation.state not in (State.RUNNING, State.WAITING):
            tell(study, evaluation)
            changed += 1
    return changed


@patiently
def _unfinished(study: Study) -> dict[int, int | None]:
    """Optuna's running trials by number, with the workers that made them."""
    from optuna.trial import TrialState

    with study.storage.guarded():
        trials = study.storage.optuna.get_all_trials(_optunas(study), deepcopy=False, states=(TrialState.RUNNING,))
    return {trial.number: trial.user_attrs.get(WORKER) for trial in trials}


@patiently
def _optunas(study: Study) -> int:
    """Optuna's number of the study, which is made there on first use."""
    known = study.storage.optuna_numbers
    if study.id not in known:
        known[study.id] = study.optuna_study()._study_id
    return known[study.id]
