"""Optuna's tree-structured Parzen estimator (Bergstra 2011, Watanabe 2304.11127) as a strategy."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from nas.errors import InputError
from nas.searching.candidates import Candidates
from nas.searching.distributions import distributions
from nas.searching.strategies import Action, Start
from nas.space import Choice, Scalar
from nas.space.choices import Weighted
from nas.space.choosers import from_trial
from nas.study.history import TRAINED, UNDERWAY, Document, History, State, Trial
from nas.study.objective import Objective

if TYPE_CHECKING:
    import optuna

BLOCK = 48
"""The estimator looks at one to two such blocks of trials, so that its cost does not grow with the study."""


@dataclass
class TreeParzen:
    """Proposes what Optuna's sampler proposes, from a study in memory that grows with the history.

    Trials are told as they stood at the first rung, where all of them compare. The sampler is made anew for each
    proposal, from the generator alone; the study holds what the history says, in the order in which results came. So
    the action depends on nothing else, and what is remembered here only saves time.
    """

    candidates: Candidates
    objectives: Sequence[Objective]
    _memory: "_Memory | None" = field(default=None, repr=False)

    def next(self, history: History, running: int, generator: Random) -> Action:
        """Decisions that the sampler proposes."""
        import optuna

        study = self._study(history)
        begun = History(tuple(trial.as_of(0) for trial in history.trials))
        under_way = [trial for trial in begun.in_state(*UNDERWAY) if trial.decisions is not None]
        ghosts = [number for trial in under_way if (number := self._add(study, trial)) is not None]
        study.sampler = optuna.samplers.TPESampler(seed=generator.randrange(2**32), constant_liar=bool(ghosts))
        asked = study.ask()
        decisions = self._decided(asked)
        for number in (asked.number, *ghosts):  # what is under way may end otherwise than it looks now
            study.tell(number, state=optuna.trial.TrialState.FAIL)
        return Start(decisions)

    def _decided(self, asked: "optuna.Trial") -> Document:
        """What the sampler decides, but for options that are read and never proposed."""
        decisions: Document = {}
        suggest = from_trial(asked)

        def choose(path: str, choice: Choice) -> Scalar:
            value = suggest(path, choice)
            if isinstance(choice, Weighted) and value not in choice.proposed:
                value = choice.proposed[0]
            decisions[path] = value
            return value

        self.candidates.decide(choose)
        return decisions

    def _study(self, history: History) -> "optuna.Study":
        """Optuna's study of the trials that it should look at."""
        chosen = _chosen(history, self.objectives)
        numbers = [trial.number for trial in chosen]
        memory = self._memory
        if memory is None or memory.numbers != numbers[: len(memory.numbers)]:
            memory = self._memory = _Memory(_new_study(self.objectives), [])
        for trial in chosen[len(memory.numbers) :]:
            self._add(memory.study, trial)
            memory.numbers.append(trial.number)
        return memory.study

    def _add(self, study: "optuna.Study", trial: Trial) -> int | None:
        """Add a trial, and return Optuna's number of it; None where it is no member of the space (any more)."""
        import optuna

        try:
            template = _as_optuna_sees_it(trial, self.candidates, self.objectives)
        except (InputError, ValueError, KeyError):
            return None
        number = len(study.get_trials(deepcopy=False))
        study.add_trial(template)
        assert isinstance(template, optuna.trial.FrozenTrial)
        return number


@dataclass
class _Memory:
    study: "optuna.Study"
    numbers: list[int]


def _new_study(objectives: Sequence[Objective]) -> "optuna.Study":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna.create_study(directions=[objective.direction for objective in objectives])


def _chosen(history: History, objectives: Sequence[Objective]) -> list[Trial]:
    """What the sampler looks at: of all but the last unfinished block the best and the latest, and all that came after.

    It changes only by growing, but when a block is full.
    """
    begun = History(tuple(trial.as_of(0) for trial in history.trials))
    informative = [trial for trial in begun.in_the_order_of_results() if _says_something(trial)]
    settled = len(informative) // BLOCK * BLOCK
    if settled <= BLOCK:
        return informative
    first, after = informative[:settled], informative[settled:]
    best = sorted(first, key=lambda trial: (objectives[0].loss(trial), trial.number))[: BLOCK // 2]
    kept = {trial.number for trial in best}
    latest = [trial for trial in first if trial.number not in kept][-(BLOCK - len(best)) :]
    kept |= {trial.number for trial in latest}
    return [trial for trial in first if trial.number in kept] + after


def _says_something(trial: Trial) -> bool:
    """A failure says nothing about a network, and a duplicate nothing that its twin does not say."""
    return trial.decisions is not None and trial.state in (*TRAINED, State.INFEASIBLE)


def _as_optuna_sees_it(trial: Trial, candidates: Candidates, objectives: Sequence[Objective]) -> Any:
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
    return optuna.trial.create_trial(
        state=TrialState.RUNNING if under_way else TrialState.COMPLETE,
        values=None if under_way else values,
        params=decisions,
        distributions=distributions(candidates, decisions),
        constraints={"excess": excess},
    )
