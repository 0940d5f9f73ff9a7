"""Optuna as it is used without nas: what a search must beat on a table, and what only replays run.

Each is Optuna's own loop: ask, report at rungs, prune if its pruner says so, tell. A pruned trial never goes on,
nothing is known of published networks, and a network that is proposed again costs nothing: its first result is told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from nas.searching.candidates import Candidates
from nas.searching.strategies import Action, Continue, Start
from nas.searching.strategies.seen_by_optuna import decided, new_study
from nas.study.history import UNDERWAY, History, State, Trial
from nas.study.objective import Objective

if TYPE_CHECKING:
    import optuna

_FACTOR = 4
"""Of Hyperband: it looks at the rungs of the others where each is so many times the one before."""


@dataclass
class Stock:
    """A study of Optuna's, driven through its public interface alone.

    No pure function, as Optuna keeps what it knows: one is made for each replay.

    Args:
        candidates: what is proposed from.
        objectives: what is told.
        study: with its sampler and pruner.
        steps: at which a training makes its reports, counted from the first.
    """

    candidates: Candidates
    objectives: Sequence[Objective]
    study: "optuna.Study"
    steps: Sequence[int] = (1,)
    _open: "dict[int, optuna.Trial]" = field(default_factory=dict, repr=False)
    """What was asked and not told yet, by our number."""

    def next(self, history: History, running: int, generator: Random) -> Action:
        """Tell what has ended, go on with what is not pruned, else ask."""
        for number in list(self._open):
            rung = self._told(history.by_number[number], history)
            if rung is not None:
                return Continue(number, rung)
        asked = self.study.ask()
        decisions = decided(self.candidates, asked)
        self._open[len(history.trials)] = asked
        return Start(decisions)

    def _told(self, trial: Trial, history: History) -> int | None:
        """Tell of a trial what there is to tell; the rung that it goes on to, if it does."""
        from optuna.trial import TrialState

        asked = self._open[trial.number]
        known = history.by_number.get(self._twin(trial, history), trial) if trial.refusal else trial
        if known.state in UNDERWAY and known is trial:
            return None
        if known.state is State.COMPLETE:
            self.study.tell(asked, [goal.value(known) or 0.0 for goal in self.objectives])
        elif known.state is State.PAUSED and known.latest is not None:
            rung = known.latest.key.rung
            asked.report(known.values["dice"], self.steps[rung])
            if known is trial and not asked.should_prune():
                return rung + 1
            self.study.tell(asked, state=TrialState.PRUNED)
        else:
            self.study.tell(asked, state=TrialState.FAIL)
        del self._open[trial.number]
        return None

    def _twin(self, trial: Trial, history: History) -> int:
        """The trial of the same network that was trained; -1 where there is none."""
        twin = None if trial.digest is None else history.of_training(trial.digest, trial.recipe_digest)
        return -1 if twin is None else twin.number


def _tpe(seed: int, steps: Sequence[int]) -> dict[str, Any]:
    import optuna

    return {"sampler": optuna.samplers.TPESampler(seed=seed)}


def _tpe_hyperband(seed: int, steps: Sequence[int]) -> dict[str, Any]:
    import optuna

    pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=steps[-1], reduction_factor=_FACTOR)
    # Which bracket a trial is in follows from the name of its study.
    return {**_tpe(seed, steps), "pruner": pruner, "study_name": f"seed {seed}"}


def _nsga2(seed: int, steps: Sequence[int]) -> dict[str, Any]:
    import optuna

    return {"sampler": optuna.samplers.NSGAIISampler(seed=seed)}


STOCK: Mapping[str, Callable[[int, Sequence[int]], dict[str, Any]]] = {
    "tpe": _tpe,
    "tpe_hyperband": _tpe_hyperband,
    "nsga2": _nsga2,
}
PRUNED = frozenset({"tpe_hyperband"})
"""Those that stop trainings early, which Optuna does by one objective alone."""


def stock(
    name: str, candidates: Candidates, objectives: Sequence[Objective], seed: int, rungs: Sequence[float]
) -> tuple[Stock, tuple[float, ...]]:
    """One of Optuna's searches by its name, and the rungs that it trains to, of those that it may."""
    shares = tuple(rungs) if name in PRUNED else (1.0,)
    steps = [round(share / shares[0]) for share in shares]
    return Stock(candidates, objectives, new_study(objectives, **STOCK[name](seed, steps)), steps), shares
