"""All members of a small space, one after the other."""

from collections.abc import Callable, Iterator

from nas.errors import InputError
from nas.space.choices import Choice, Chooser, Integer, OneOf, Scalar, Weighted


def listed(decide: Callable[[Chooser], object]) -> Iterator[dict[str, Scalar]]:
    """All decisions that a walk can take, in order, what is never proposed left out.

    Args:
        decide: takes the walk, answered by a chooser, such as `Space.decide`.

    Raises:
        InputError: a real number is open, which has no end of values.
    """
    taken: list[int] = []
    while True:
        walk = _Walk(taken)
        decide(walk)
        yield walk.decisions
        taken = walk.indices
        while taken and taken[-1] + 1 == walk.counts[len(taken) - 1]:
            taken = taken[:-1]
        if not taken:
            return
        taken = [*taken[:-1], taken[-1] + 1]


class _Walk:
    """Takes the options of these indices, and the first ones after."""

    def __init__(self, taken: list[int]):
        self._taken = taken
        self.indices: list[int] = []
        self.counts: list[int] = []
        self.decisions: dict[str, Scalar] = {}

    def __call__(self, path: str, choice: Choice) -> Scalar:
        options = _options(path, choice)
        place = len(self.indices)
        index = self._taken[place] if place < len(self._taken) else 0
        self.indices.append(index)
        self.counts.append(len(options))
        self.decisions[path] = options[index]
        return options[index]


def _options(path: str, choice: Choice) -> tuple[Scalar, ...]:
    if isinstance(choice, Weighted):
        return choice.proposed
    if isinstance(choice, OneOf):
        return choice.labels
    if isinstance(choice, Integer):
        return tuple(range(choice.low, choice.high + 1))
    if choice.low == choice.high:
        return (choice.low,)
    raise InputError(f"{path}: a real number from {choice.low} to {choice.high} is open, expected a few options")
