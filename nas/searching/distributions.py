"""The choices of a space as Optuna's distributions."""

from typing import TYPE_CHECKING

from nas.searching.candidates import Candidates
from nas.space.choices import Choice, Integer, OneOf
from nas.study.history import Document

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def distributions(candidates: Candidates, decisions: Document) -> "dict[str, BaseDistribution]":
    """Optuna's distribution of each decision.

    Raises:
        InputError: there are no such decisions (any more).
    """
    return {path: distribution(choice) for path, choice in candidates.distributions(decisions).items()}


def distribution(choice: Choice) -> "BaseDistribution":
    """Optuna's distribution of a choice."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(choice, OneOf):
        return CategoricalDistribution(choice.labels)
    if isinstance(choice, Integer):
        return IntDistribution(choice.low, choice.high, log=choice.log)
    return FloatDistribution(choice.low, choice.high, log=choice.log)
