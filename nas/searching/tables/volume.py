"""How much of what can be had a front of networks has: its hypervolume, as a share of that of a whole table."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from nas.errors import InputError, field_named
from nas.searching.tables.table import Row, Table
from nas.study.objective import Objective

Point = tuple[float, ...]

KNOWN = ("dice", "parameters", "macs")
"""What the trainings of a table have been measured by."""
_BEYOND = 0.1
"""How far beyond the front's own extremes the corner lies, so that the extremes count as well."""


@dataclass(frozen=True)
class Yardstick:
    """Measures fronts by several objectives, each from 0 for the best of the table's own front to 1 for its worst.

    Costs are taken by their logarithms: half the parameters are worth the same of a large network and of a small one.

    Raises:
        InputError: an objective that no training of a table was measured by.
    """

    table: Table
    objectives: Sequence[Objective]

    def __post_init__(self) -> None:
        for goal in self.objectives:
            if goal.metric not in KNOWN:
                raise InputError(
                    f"{field_named('objective')}: found {goal.metric!r}, which a table does not have; expected "
                    f"{', '.join(KNOWN)}"
                )

    def share(self, rows: Collection[Row]) -> float:
        """The part of the table's volume that rows have."""
        return volume([self._point(row) for row in rows], self._corner) / self._whole

    def front(self, rows: Collection[Row]) -> list[Row]:
        """The rows that no other one beats in everything; of equals the first."""
        losses = {row.key: _losses(row, self.objectives) for row in rows}
        kept: dict[Point, Row] = {}
        for row in rows:
            own = losses[row.key]
            if not any(_beats(other, own) for other in losses.values()):
                kept.setdefault(own, row)
        return list(kept.values())

    def _point(self, row: Row) -> Point:
        losses = _losses(row, self.objectives)
        return tuple(
            (loss - low) / (high - low or 1.0) for loss, (low, high) in zip(losses, self._extremes, strict=True)
        )

    @cached_property
    def _front(self) -> list[Row]:
        return self.front([row for row in self.table.firsts.values() if row.dice == row.dice])

    @cached_property
    def _extremes(self) -> list[tuple[float, float]]:
        columns = zip(*(_losses(row, self.objectives) for row in self._front), strict=True)
        return [(min(column), max(column)) for column in columns]

    @property
    def _corner(self) -> Point:
        return (1.0 + _BEYOND,) * len(self.objectives)

    @cached_property
    def _whole(self) -> float:
        return volume([self._point(row) for row in self._front], self._corner)


def volume(points: Collection[Point], corner: Point) -> float:
    """The volume between points, where lower is better, and a corner; what is beyond the corner counts for nothing."""
    inside = sorted({point for point in points if all(x < limit for x, limit in zip(point, corner, strict=True))})
    if not inside:
        return 0.0
    if len(corner) == 1:
        return corner[0] - inside[0][0]
    ends = [*(point[0] for point in inside[1:]), corner[0]]
    total = 0.0
    for place, (point, end) in enumerate(zip(inside, ends, strict=True)):
        if end > point[0]:
            total += (end - point[0]) * volume([other[1:] for other in inside[: place + 1]], corner[1:])
    return total


def _losses(row: Row, objectives: Sequence[Objective]) -> Point:
    values: Mapping[str, float] = {
        "dice": -row.dice,
        "parameters": math.log(max(row.parameters, 1)),
        "macs": math.log(max(row.macs, 1)),
    }
    return tuple(values[goal.metric] for goal in objectives)


def _beats(one: Point, other: Point) -> bool:
    return one != other and all(x <= y for x, y in zip(one, other, strict=True))
