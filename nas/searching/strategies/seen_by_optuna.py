"""What Optuna's samplers see of a history, and what is decided by what they suggest."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nas.searching.candidates import Candidates
from nas.searching.distributions import distributions
from nas.space import Choice, Scalar
from nas.space.choices import Weighted
from nas.space.choosers import Suggests, from_trial
from nas.study.history import TRAINED, UNDERWAY, Document, History, State, Trial
from nas.study.objective import Objective

if TYPE_CHECKING:
    import optuna


def new_study(objectives: Sequence[Objective], **options: Any) -> "optuna.Study":
    """An empty study in memory, silent."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(directions=[objective.direction for objective in objectives], **options)


def at_the_first_rung(history: History) -> History:
    """Trials as they stood at the first rung, where all of them compare."""
    return History(tuple(trial.as_of(0) for trial in history.trials))


def informative(begun: History) -> list[Trial]:
    """Trials that say something, in the order in which they ended.

    A failure says nothing about a network, and a duplicate nothing that its twin does not say.
    """
    told = (*TRAINED, State.INFEASIBLE)
    return [t for t in begun.in_the_order_of_results() if t.decisions is not None and t.state in told]


def decided(candidates: Candidates, asked: Suggests) -> Document:
    """What a sampler decides, but for options that are read and never proposed."""
    decisions: Document = {}
    suggest = from_trial(asked)

    def choose(path: str, choice: Choice) -> Scalar:
        value = suggest(path, choice)
        if isinstance(choice, Weighted) and value not in choice.proposed:
            value = choice.proposed[0]
        decisions[path] = value
        return value

    candidates.decide(choose)
    return decisions


def as_optuna_sees_it(
    trial: Trial, candidates: Candidates, objectives: Sequence[Objective], **attributes: int
) -> "optuna.trial.FrozenTrial":
    """A trial with its decisions as parameters; one over a limit, or that diverged, breaks a constraint.

    Raises:
        InputError, ValueError, KeyError: it is no member of the space (any more).
    """
    import optuna
    from optuna.trial import TrialState

    decisions = trial.decisions or {}
    under_way = trial.state in UNDERWAY
    scored = trial.state in (State.COMPLETE, State.PAUSED)
    values = [(objective.value(trial) if scored else None) or 0.0 for objective in objectives]
    # One number for all limits: Optuna reads every constraint of every trial again for each parameter.
    excess = sum(value for value in trial.constraints.values() if value > 0)
    if trial.state is State.DIVERGED:
        excess += 1.0
    template = optuna.trial.create_trial(
        state=TrialState.RUNNING if under_way else TrialState.COMPLETE,
        values=None if under_way else values,
        params=decisions,
        distributions=distributions(candidates, decisions),
        constraints={"excess": excess},
        system_attrs=attributes or None,
    )
    assert isinstance(template, optuna.trial.FrozenTrial)
    return template
