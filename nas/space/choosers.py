"""Who answers open choices: a random generator, a mapping of decisions, or an Optuna trial."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from nas.errors import InputError
from nas.space.choices import Choice, Chooser, Integer, OneOf, Scalar, Weighted


class Suggests(Protocol):
    """The part of an Optuna trial that a chooser needs."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any: ...  # noqa: D102
    def suggest_int(self, name: str, low: int, high: int, *, log: bool) -> int: ...  # noqa: D102
    def suggest_float(self, name: str, low: float, high: float, *, log: bool) -> float: ...  # noqa: D102


def from_random(generator: random.Random) -> Chooser:
    """Answers every choice at random: options evenly, ranges evenly or evenly in their logarithm."""

    def choose(_: str, choice: Choice) -> Scalar:
        if isinstance(choice, Weighted):
            return generator.choices(choice.labels, choice.weights)[0]
        if isinstance(choice, OneOf):
            return generator.choice(choice.labels)
        if not choice.log:
            uniform = generator.randint if isinstance(choice, Integer) else generator.uniform
            return uniform(choice.low, choice.high)  # type: ignore[arg-type]
        low = choice.low - 0.5 if isinstance(choice, Integer) else choice.low
        high = choice.high + 0.5 if isinstance(choice, Integer) else choice.high
        value = math.exp(generator.uniform(math.log(low), math.log(high)))
        value = min(max(value, choice.low), choice.high)
        return round(value) if isinstance(choice, Integer) else value

    return choose


def from_mapping(decisions: Mapping[str, Scalar]) -> Chooser:
    """Answers from decisions made before; a path they lack is an InputError."""

    def choose(path: str, choice: Choice) -> Scalar:
        if path not in decisions:
            raise InputError(f"{path}: the decisions lack this choice; add it, or read them from an architecture")
        return decisions[path]

    return choose


def from_trial(trial: Suggests) -> Chooser:
    """Answers by asking an Optuna trial (or anything with its `suggest_*` methods).

    What was decided is what the walk notes, not the trial's parameters: an option that is not to be proposed gives way
    to one that is, whatever the trial suggests.
    """

    def choose(path: str, choice: Choice) -> Scalar:
        if isinstance(choice, OneOf):
            value: Scalar = trial.suggest_categorical(path, choice.labels)
            if isinstance(choice, Weighted) and value not in choice.proposed:
                return choice.proposed[0]
            return value
        if isinstance(choice, Integer):
            return trial.suggest_int(path, choice.low, choice.high, log=choice.log)
        return trial.suggest_float(path, choice.low, choice.high, log=choice.log)

    return choose
