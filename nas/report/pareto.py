"""Which networks no other one beats in both of two things."""

from collections.abc import Iterable, Sequence

from nas.report.material import Material
from nas.study.history import Trial
from nas.study.objective import Objective

PARAMETERS = Objective("parameters", "minimize")
"""What is weighed against a single objective: how large a network is."""


def axes_of(goals: Sequence[Objective]) -> tuple[Objective, Objective]:
    """What a front is drawn over: the first two objectives, or the only one and the number of parameters."""
    return (goals[0], goals[1]) if len(goals) > 1 else (goals[0], PARAMETERS)


def front_of(material: Material) -> list[Trial]:
    """The complete trials that no other one beats in both, the cheapest first."""
    first, second = axes_of(material.goals)
    numbers = not_beaten((trial.number, first.loss(trial), second.loss(trial)) for trial in material.complete)
    return [material.history.by_number[number] for number in numbers]


def not_beaten(points: Iterable[tuple[int, float, float]]) -> list[int]:
    """Names of the points of which no other is as low in both and lower in one, from the lowest second value on.

    Args:
        points: name, and two values that should be low.
    """
    kept: list[int] = []
    lowest = float("inf")
    for name, first, _ in sorted(points, key=lambda point: (point[2], point[1], point[0])):
        if first < lowest:
            kept.append(name)
            lowest = first
    return kept
