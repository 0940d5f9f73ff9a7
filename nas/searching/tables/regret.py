"""How far what strategies return is from the best of a table, by what they have spent, over many seeds."""

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from multiprocessing import get_context
from statistics import median, quantiles
from typing import Any

from nas.catalog import load_space
from nas.errors import InputError
from nas.searching.candidates import candidates_of
from nas.searching.references import Entry
from nas.searching.tables.contestants import ANYTIME, Ring, contestant
from nas.searching.tables.replaying import Course, Lookup, Moment, replay
from nas.searching.tables.table import Table, load_table
from nas.training import Recipe

NEAR = 0.003
"""Dice below the best that is as good as the best: 0.3 points."""
BUDGETS = (2, 4, 8, 16, 32)
"""What may be spent, in whole trainings, where regret is looked at."""


@dataclass(frozen=True)
class Contest:
    """What is replayed: strategies by name on a table, each with so many seeds and simulated workers."""

    table: str
    strategies: tuple[str, ...]
    seeds: int = 50
    workers: int = 1
    budgets: tuple[int, ...] = BUDGETS


@dataclass(frozen=True)
class Standing:
    """The regret of a strategy that had so many trainings to spend, of every seed; infinite where it returned none."""

    strategy: str
    budget: int
    regrets: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median over seeds."""
        return median(self.regrets)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Between which half of the seeds lie."""
        ordered = sorted(self.regrets)
        finite = [value for value in ordered if math.isfinite(value)]
        if len(finite) < len(ordered) or len(ordered) < 2:
            return ordered[len(ordered) // 4], ordered[(3 * len(ordered)) // 4]
        low, _, high = quantiles(finite, n=4, method="inclusive")
        return low, high

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; what returned nothing is null."""
        values: dict[str, float] = {"median": self.middle, "low": self.quartiles[0], "high": self.quartiles[1]}
        shown = {name: round(value, 5) if math.isfinite(value) else None for name, value in values.items()}
        return {"strategy": self.strategy, "trainings": self.budget, **shown, "seeds": len(self.regrets)}


def contest(of: Contest, processes: int = 1) -> list[Standing]:
    """Replay all, and say how far from the best each strategy ended with each budget.

    Raises:
        InputError: no such table or strategy, or a table that does not fit its space.
    """
    table = load_table(of.table)
    for name in of.strategies:
        contestant(name, _ring(of, table, 1.0, 0))
    jobs = [(name, budget, seed) for name in of.strategies for budget in _played(name, of) for seed in range(of.seeds)]
    best = table.best.dice
    moments = dict(zip(jobs, _played_out(of, jobs, processes), strict=True))

    def regret(name: str, budget: int, seed: int) -> float:
        played = budget if budget in _played(name, of) else max(of.budgets)
        return best - _reached(moments[name, played, seed], budget)

    return [
        Standing(name, budget, tuple(regret(name, budget, seed) for seed in range(of.seeds)))
        for name in of.strategies
        for budget in of.budgets
    ]


def near_after(standings: Iterable[Standing], near: float = NEAR) -> int | None:
    """The smallest budget with which half of the seeds of a strategy came near the best; None where none did."""
    return min((standing.budget for standing in standings if standing.middle <= near), default=None)


def _played(name: str, of: Contest) -> tuple[int, ...]:
    """With which budgets a strategy is replayed; what it reaches with less is seen on the way, where it plans none."""
    return (max(of.budgets),) if name.partition(":")[0] in ANYTIME else of.budgets


def _reached(moments: Sequence[Moment], budget: float) -> float:
    return max((moment.dice for moment in moments if moment.spent <= budget + 1e-9), default=-math.inf)


def _played_out(of: Contest, jobs: Sequence[tuple[str, int, int]], processes: int) -> list[tuple[Moment, ...]]:
    if processes == 1:
        return [_play(of, job) for job in jobs]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_play, repeat(of), jobs, chunksize=8))


def _play(of: Contest, job: tuple[str, int, int]) -> tuple[Moment, ...]:
    name, budget, seed = job
    lookup = _lookup(of.table)
    ring = _ring(of, lookup.table, budget, seed)
    strategy, rungs = contestant(name, ring)
    return replay(lookup, strategy, Course(rungs, of.workers, budget), seed)


@lru_cache(1)
def _lookup(name: str) -> Lookup:
    return Lookup(load_table(name))


def _ring(of: Contest, table: Table, trainings: float, seed: int) -> Ring:
    space = load_space(table.making.space)
    if space.digest() != table.making.space_digest:
        raise InputError(f"table {table.name}: is of another space {space.name!r} than is here; make it anew")
    candidates = candidates_of(space, Recipe.from_json(table.making.recipe))
    present = {row.reference for row in table.firsts.values()}
    entries = [Entry(member.name, member.architecture) for member in space.members if member.name in present]
    identify = _lookup(of.table).identify
    return Ring(candidates, identify, entries, trainings, of.workers, seed)
