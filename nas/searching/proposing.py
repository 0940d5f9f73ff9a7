"""The next proposal: from what a study knows to decisions, without writing anything."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nas.errors import InputError
from nas.searching.candidates import Candidates
from nas.space.choices import Choice, Integer, OneOf
from nas.space.choosers import from_trial
from nas.study.records import Document, Evaluation, State

MOST_PAST = 1000
"""TPE looks at so many evaluations at most, half of them the best, half the latest: its cost stops growing there."""


@dataclass
class Proposer:
    """Asks TPE for decisions among candidates.

    Optuna's study is made anew in memory for each proposal, so that nothing is stored, a resumed search proposes what
    an uninterrupted one would have, and what the space offers may have grown since the past was made. Only the past as
    Optuna sees it is remembered, because making it is half of the cost.
    """

    candidates: Candidates
    _remembered: dict[int, Any] = field(default_factory=dict, repr=False)

    def propose(self, past: Sequence[Evaluation], seed: int) -> Document:
        """Decisions that TPE proposes after what was found so far; the same past and seed give the same ones."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        for evaluation in past:
            trial = self._trial(evaluation)
            if trial is not None:
                study.add_trial(trial)
        looked_at = {evaluation.id for evaluation in past}
        self._remembered = {number: trial for number, trial in self._remembered.items() if number in looked_at}
        asked = study.ask()
        self.candidates.decide(from_trial(asked))
        return dict(asked.params)

    def _trial(self, evaluation: Evaluation) -> Any:
        if evaluation.state in (State.RUNNING, State.WAITING):
            return _as_trial(self.candidates, evaluation)
        if evaluation.id not in self._remembered:
            self._remembered[evaluation.id] = _as_trial(self.candidates, evaluation)
        return self._remembered[evaluation.id]


def neighbour(candidates: Candidates, best: Sequence[Document], seed: int) -> Document:
    """A random change of a good network: TPE alone can be stuck among known or infeasible ones."""
    generator = random.Random(seed)
    return candidates.mutate(generator.choice(best), generator)


def distributions(candidates: Candidates, decisions: Document) -> dict[str, Any]:
    """Optuna's distribution of each decision.

    Raises:
        InputError: there are no such decisions (any more).
    """
    return {path: _distribution(choice) for path, choice in candidates.distributions(decisions).items()}


def _distribution(choice: Choice) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(choice, OneOf):
        return CategoricalDistribution(choice.labels)
    if isinstance(choice, Integer):
        return IntDistribution(choice.low, choice.high, log=choice.log)
    return FloatDistribution(choice.low, choice.high, log=choice.log)


def _as_trial(candidates: Candidates, evaluation: Evaluation) -> Any:
    """An evaluation as Optuna sees it; None where its decisions are not known or not of this space."""
    import optuna
    from optuna.trial import TrialState

    if evaluation.decisions is None:
        return None
    feasible = all(value <= 0 for value in (evaluation.constraints or {}).values())
    if evaluation.state is State.DUPLICATE and evaluation.dice is None and feasible:
        return None  # its network was being trained elsewhere: nothing is known of it
    try:
        of = distributions(candidates, evaluation.decisions)
        unfinished = evaluation.state in (State.RUNNING, State.WAITING)
        return optuna.trial.create_trial(
            state=TrialState.RUNNING if unfinished else TrialState.COMPLETE,
            value=None if unfinished else evaluation.dice or 0.0,
            params=evaluation.decisions,
            distributions=of,
            constraints=evaluation.constraints,
        )
    except (InputError, ValueError, KeyError):
        return None
