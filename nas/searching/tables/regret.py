"""How far what strategies return is from the best of a table, by what they have spent, over many seeds."""

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from multiprocessing import get_context
from pathlib import Path

from nas.catalog import load_space
from nas.errors import InputError, field_named
from nas.searching.candidates import candidates_of
from nas.searching.references import Entry
from nas.searching.tables.contestants import ANYTIME, RUNGS, USUAL, USUAL_FRONTS, Ring, contestant
from nas.searching.tables.kept import Job, Outcome, keep, kept
from nas.searching.tables.remembered import remembered
from nas.searching.tables.replaying import Course, Lookup, replay
from nas.searching.tables.standings import Arrival, Standing, arrival
from nas.searching.tables.table import Table, line_of, load_table
from nas.searching.tables.volume import Yardstick
from nas.study.history import Document
from nas.study.objective import DICE, Objective
from nas.training import Recipe

NEAR = 0.003
"""Dice below the best that is as good as the best: 0.3 points."""
BUDGETS = (2, 3, 4, 6, 8, 12, 16, 24, 32)
"""What may be spent, in whole trainings, where regret is looked at."""


@dataclass(frozen=True)
class Contest:
    """What is replayed: strategies by name on a table, each with so many seeds and simulated workers.

    `file` is where replays are kept as they are done; what it holds is not replayed again. `patient` is whether those
    that plan nothing go on until they are near the best, so that the time to that is known. `rungs` is where those stop
    that do not train each network to the end.
    """

    table: str
    strategies: tuple[str, ...] = ()
    seeds: int = 50
    workers: int = 1
    budgets: tuple[int, ...] = BUDGETS
    objectives: tuple[Objective, ...] = DICE
    file: Path | None = None
    patient: bool = True
    rungs: tuple[float, ...] = RUNGS

    @property
    def names(self) -> tuple[str, ...]:
        """The strategies, or those that are usually compared."""
        return self.strategies or (USUAL if len(self.objectives) == 1 else USUAL_FRONTS)


@dataclass(frozen=True)
class Results:
    """What came of a contest: the moments of each replay."""

    of: Contest
    best: float
    moments: Mapping[Job, Outcome] = field(repr=False)

    @property
    def by_front(self) -> bool:
        """Whether fronts are measured, not Dice alone."""
        return len(self.of.objectives) > 1

    @cached_property
    def standings(self) -> list[Standing]:
        """Of each strategy how far from the best it ended with each budget."""
        return [self.standing(name, budget) for name in self.of.names for budget in self.of.budgets]

    def standing(self, name: str, budget: int) -> Standing:
        """How far from the best a strategy ended with a budget."""
        played = budget if budget in _played(name, self.of) else max(self.of.budgets)
        outcomes = (self.moments[name, played, seed] for seed in range(self.of.seeds))
        return Standing(name, budget, tuple(self._regret(outcome, budget) for outcome in outcomes))

    @cached_property
    def arrivals(self) -> list[Arrival]:
        """Of each strategy after how many trainings it came near the best Dice."""
        return [self._arrival(name) for name in self.of.names]

    def _regret(self, moments: Outcome, budget: float) -> float:
        reached = [moment for moment in moments if moment.spent <= budget + 1e-9]
        if self.by_front:
            return 1.0 - max((moment.volume for moment in reached), default=0.0)
        return self.best - max((moment.dice for moment in reached), default=-math.inf)

    def _arrival(self, name: str) -> Arrival:
        """Where what may be spent is planned with, it is among the budgets; else at any moment."""
        seeds = range(self.of.seeds)
        if _pace(name) not in ANYTIME:
            near: dict[float, int] = {
                budget: sum(regret <= NEAR for regret in self.standing(name, budget).regrets)
                for budget in self.of.budgets
            }
            return arrival(name, near, len(seeds))
        longest = max(self.of.budgets)
        arrived = sorted(self._near_after(self.moments[name, longest, seed]) for seed in seeds)
        return arrival(name, {spent: place for place, spent in enumerate(arrived, 1)}, len(seeds))

    def _near_after(self, moments: Outcome) -> float:
        return min((moment.spent for moment in moments if moment.dice >= self.best - NEAR), default=math.inf)


def contest(of: Contest, processes: int = 1, done: Callable[[int, int], None] = lambda count, total: None) -> Results:
    """Replay all that is not kept yet.

    Args:
        of: what is replayed.
        processes: how many replay at once.
        done: hears how many replays of how many are done.

    Raises:
        InputError: no such table or strategy, a table that does not fit its space, or a file of other replays.
        KeyboardInterrupt: stopped; what was done is kept where there is a file.
    """
    lookup, ring = _lookup(of.table), _ring(of.table)
    best = lookup.table.best.dice
    _expect_rungs(of.rungs, lookup.table)
    for name in of.names:
        contestant(name, replace(ring, trainings=1.0, objectives=of.objectives, rungs=of.rungs))
    jobs = [(name, budget, seed) for name in of.names for budget in _played(name, of) for seed in range(of.seeds)]
    outcomes = {} if of.file is None else kept(of.file, _in_common(of, lookup.table))
    missing = [job for job in jobs if job not in outcomes]
    done(len(jobs) - len(missing), len(jobs))
    for job, outcome in _played_out(of, missing, processes):
        outcomes[job] = outcome
        if of.file is not None:
            keep(of.file, job, outcome)
        done(sum(job in outcomes for job in jobs), len(jobs))
    return Results(of, best, outcomes)


def _expect_rungs(rungs: Sequence[float], table: Table) -> None:
    """Refuse rungs at which a table did not look."""
    looked = table.making.rungs
    if list(rungs) != sorted(set(rungs)) or rungs[-1] != 1 or not set(rungs) <= set(looked):
        raise InputError(
            f"{field_named('rungs')}: found {', '.join(map(str, rungs))}, expected shares of a training at which table "
            f"{table.name} looked, the least first and 1 last: of {', '.join(map(str, looked))}"
        )


def _in_common(of: Contest, table: Table) -> Document:
    """What replays must have in common to be one contest."""
    rows = "".join(line_of(row) for row in table.rows)
    return {
        "table": table.name,
        "digest": hashlib.sha256(rows.encode()).hexdigest()[:32],
        "workers": of.workers,
        "patient": of.patient,
        "objectives": [objective.metric for objective in of.objectives],
        "rungs": list(of.rungs),
    }


def _pace(name: str) -> str:
    return name.partition(":")[0]


def _played(name: str, of: Contest) -> tuple[int, ...]:
    """With which budgets a strategy is replayed; what it reaches with less is seen on the way, where it plans none."""
    return (max(of.budgets),) if _pace(name) in ANYTIME else of.budgets


def _played_out(of: Contest, jobs: Sequence[Job], processes: int) -> Iterator[tuple[Job, Outcome]]:
    if processes == 1:
        yield from ((job, _play(of, job)) for job in jobs)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        try:
            waiting = {pool.submit(_play, of, job): job for job in jobs}
            yield from ((waiting[future], future.result()) for future in as_completed(waiting))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _play(of: Contest, job: Job) -> Outcome:
    name, budget, seed = job
    lookup = _lookup(of.table)
    ring = replace(_ring(of.table), objectives=of.objectives, rungs=of.rungs, workers=of.workers)
    strategy, rungs = contestant(name, replace(ring, trainings=float(budget), seed=seed))
    several = len(of.objectives) > 1
    course = Course(
        rungs,
        of.workers,
        budget,
        until=lookup.table.best.dice - NEAR if of.patient and _pace(name) in ANYTIME and not several else -math.inf,
        yardstick=_yardstick(of.table, of.objectives) if several else None,
    )
    return replay(lookup, strategy, course, seed)


@lru_cache(1)
def _lookup(name: str) -> Lookup:
    return Lookup(load_table(name))


@lru_cache(1)
def _yardstick(name: str, objectives: tuple[Objective, ...]) -> Yardstick:
    return Yardstick(_lookup(name).table, objectives)


@lru_cache(1)
def _ring(name: str) -> Ring:
    """What all contestants on a table are given."""
    lookup = _lookup(name)
    table = lookup.table
    space = load_space(table.making.space)
    if space.digest() != table.making.space_digest:
        raise InputError(f"table {table.name}: is of another space {space.name!r} than is here; make it anew")
    candidates = remembered(candidates_of(space, Recipe.from_json(table.making.recipe)))
    present = {row.reference for row in table.firsts.values()}
    entries = [Entry(member.name, member.architecture) for member in space.members if member.name in present]
    return Ring(candidates, lookup.identify, entries, 0.0)
