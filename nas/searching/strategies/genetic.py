"""NSGA-II (Deb et al. 2002), as Optuna has it, as a strategy: children of the best by Pareto rank and crowding."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from nas.errors import InputError
from nas.searching.candidates import Candidates
from nas.searching.strategies import Action, Start
from nas.searching.strategies.seen_by_optuna import (
    as_optuna_sees_it,
    at_the_first_rung,
    decided,
    informative,
    new_study,
)
from nas.study.history import History, State, Trial
from nas.study.objective import Objective

if TYPE_CHECKING:
    import optuna


@dataclass
class Genetic:
    """Proposes what Optuna's sampler makes of two of the best trials, by crossing and changing their decisions.

    All trials are one generation, whose best are the parents of the next proposal: so nothing waits for a generation to
    be whole, and the action follows from the history alone. Trials are told as they stood at the first rung. What is
    remembered here only saves time.

    Args:
        candidates: what is proposed from.
        objectives: by which trials are ranked.
        population: of so many the parents are drawn, once there are so many; before, decisions are random.
    """

    candidates: Candidates
    objectives: Sequence[Objective]
    population: int = 20
    _seen: "dict[tuple[int, State], optuna.trial.FrozenTrial | None]" = field(default_factory=dict, repr=False)

    def next(self, history: History, running: int, generator: Random) -> Action:
        """Decisions that the sampler proposes."""
        import optuna

        study = new_study(self.objectives)
        sampler = optuna.samplers.NSGAIISampler(population_size=self.population, seed=generator.randrange(2**32))
        study.sampler = sampler
        study.add_trials([seen for trial in informative(at_the_first_rung(history)) if (seen := self._as_seen(trial))])
        return Start(decided(self.candidates, study.ask()))

    def _as_seen(self, trial: Trial) -> "optuna.trial.FrozenTrial | None":
        """The trial as the sampler sees it; None where it is no member of the space (any more)."""
        key = trial.number, trial.state
        if key not in self._seen:
            try:
                # The name under which the sampler itself keeps the generation of a trial.
                self._seen[key] = as_optuna_sees_it(
                    trial, self.candidates, self.objectives, **{"NSGAIISampler:generation": 0}
                )
            except (InputError, ValueError, KeyError):
                self._seen[key] = None
        return self._seen[key]
