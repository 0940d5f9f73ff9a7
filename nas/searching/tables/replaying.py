"""A strategy replayed on a table: the same actions as in a search, with simulated workers and time."""

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from random import Random
from statistics import mean

from nas.searching.strategies import Continue, Done, Repeat, Start, Strategy, Wait
from nas.searching.tables.table import TENTHS, Key, Row, Scores, Table, mean_dice
from nas.searching.tables.volume import Yardstick
from nas.study.history import Document, History, Measurement, Run, RunKey, State, Trial

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_PATIENCE = 400
"""Proposals in a row that lead to no training until a strategy is taken to have no more."""


@dataclass(frozen=True)
class Course:
    """What a replay runs: `rungs`, at which runs end, are of the table's; the last one is 1.

    `trainings` is what may be spent, in whole trainings; a run that would go over it is not begun, but where no Dice of
    `until` was reached yet. With several objectives, a yardstick measures the front.
    """

    rungs: tuple[float, ...] = (1.0,)
    workers: int = 1
    trainings: float = 100.0
    until: float = -math.inf
    yardstick: Yardstick | None = None


@dataclass(frozen=True)
class Moment:
    """The end of a whole training: what was spent by then and when it was, in trainings, and the best Dice so far.

    `volume` is the share of the table's hypervolume that the front so far has, where there are several objectives.
    """

    spent: float
    time: float
    dice: float
    volume: float = 0.0


@dataclass(frozen=True)
class Lookup:
    """The rows of a table by their decisions."""

    table: Table

    @cached_property
    def by_decisions(self) -> Mapping[frozenset[tuple[str, object]], Row]:
        """The rows that a replay looks up."""
        return {frozenset(row.decisions.items()): row for row in self.table.firsts.values()}

    @cached_property
    def usual_seconds(self) -> float:
        """Of a training, the mean over the table."""
        return mean(row.seconds for row in self.table.firsts.values()) or 1.0

    def row(self, decisions: Document) -> Row | None:
        """The training of decisions, if the table has it."""
        return self.by_decisions.get(frozenset(decisions.items()))

    def identify(self, decisions: Document) -> tuple[str | None, str | None]:
        """Digests of network and recipe."""
        row = self.row(decisions)
        return (None, None) if row is None else row.key


def replay(lookup: Lookup, strategy: Strategy, course: Course, seed: int) -> tuple[Moment, ...]:
    """Run a strategy until it is done, has nothing new to say, or all is spent.

    Returns:
        The moments at which the best Dice of a whole training, or the volume of the front, rose.
    """
    return _Replay(lookup, strategy, course, seed).run()


@dataclass
class _Replay:
    lookup: Lookup
    strategy: Strategy
    course: Course
    seed: int
    history: History = field(default_factory=History)
    now: float = 0.0
    spent: float = 0.0
    begun: float = 0.0
    runs: int = 0
    busy: list[tuple[float, int, int]] = field(default_factory=list)
    """When each run under way will end, its number and its trial."""
    shares: dict[int, float] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    front: list[Row] = field(default_factory=list)
    known: set[Key] = field(default_factory=set)
    """The members that were begun."""

    def run(self) -> tuple[Moment, ...]:
        """Let workers ask and train, in the order of simulated time."""
        asking = True
        while asking or self.busy:
            while asking and len(self.busy) < self.course.workers:
                action = self._asked()
                asking = not isinstance(action, Done)
                if not isinstance(action, Continue):  # nothing to do for now, or at all
                    break
            if not self.busy:
                break
            self._finish(*heapq.heappop(self.busy))
        return tuple(self.moments)

    def _asked(self) -> Continue | Wait | Done:
        """Ask until a run is begun (told as what it goes on with), or there is nothing to do."""
        for _ in range(_PATIENCE):
            chance = Random(self.seed * 1_000_003 + len(self.history.trials) * 7919 + self.runs)
            action = self.strategy.next(self.history, len(self.busy), chance)
            if isinstance(action, Wait | Done):
                return action
            if isinstance(action, Repeat):
                raise TypeError("a table has one training of each network: there is no other fold, seed or split")
            if isinstance(action, Start):
                trial = self._admitted(action)
                if trial is None:
                    continue
                action = Continue(trial, 0)
            return action if self._begin(action) else Done()
        return Done()

    def _admitted(self, start: Start) -> int | None:
        """The number of the new trial; None where it is known, or not in the table, which is put on record as well."""
        row, number = self.lookup.row(start.decisions), len(self.history.trials)
        known = row is not None and row.key in self.known
        trial = Trial(
            number=number,
            decisions=start.decisions,
            digest=row.digest if row else None,
            recipe_digest=row.recipe_digest if row else None,
            parameters=row.parameters if row else None,
            macs=row.macs if row else None,
            parent=start.parent,
            origin=start.origin,
            reference=start.reference,
            created=self._moment,
            refusal=State.DUPLICATE if known or row is None else None,
        )
        self._put(trial)
        if row is None or known:
            return None
        self.known.add(row.key)
        return number

    def _begin(self, step: Continue) -> bool:
        """Begin a run, unless it would take more than there is."""
        trial = self.history.trials[step.trial]
        row = self._row(trial)
        share = self.course.rungs[step.rung] - (self.course.rungs[step.rung - 1] if step.rung else 0.0)
        enough = self._best >= self.course.until
        if enough and self.begun + share > self.course.trainings + 1e-9:
            return False
        self.begun += share
        self.runs += 1
        run = Run(
            id=self.runs, trial=trial.number, key=RunKey(rung=step.rung), state=State.RUNNING, reason=None, values={},
            steps=None, seconds=None, peak_bytes=None, device=None, worker=None, started=self._moment, finished=None,
        )  # fmt: skip
        self._put(replace(trial, runs=(*trial.runs, run)))
        self.shares[run.id] = share
        heapq.heappush(self.busy, (self.now + share * row.seconds / self.lookup.usual_seconds, run.id, trial.number))
        return True

    def _finish(self, at: float, id: int, number: int) -> None:
        self.now = at
        self.spent += self.shares[id]
        trial = self.history.trials[number]
        ended = _ended(trial.runs[-1], self._row(trial), self.course.rungs, self.lookup.table.making.rungs)
        # A budget counts trainings, of whatever network: so do the runs' seconds.
        ended = replace(ended, finished=self._moment, seconds=self.shares[id])
        self._put(replace(trial, runs=(*trial.runs[:-1], ended)))
        if ended.state is State.COMPLETE:
            self._note(ended.values["dice"], self._row(trial))

    def _note(self, dice: float, row: Row) -> None:
        """Note a whole training if more is reached by it."""
        best, volume = max(dice, self._best), self.moments[-1].volume if self.moments else 0.0
        if self.course.yardstick is not None:
            self.front = self.course.yardstick.front([*self.front, row])
            volume = self.course.yardstick.share(self.front)
        if not self.moments or (best, volume) != (self._best, self.moments[-1].volume):
            self.moments.append(Moment(self.spent, self.now, best, volume))

    @property
    def _best(self) -> float:
        return self.moments[-1].dice if self.moments else -math.inf

    def _row(self, trial: Trial) -> Row:
        row = self.lookup.row(trial.decisions or {})
        assert row is not None, "what is trained is in the table"
        return row

    def _put(self, trial: Trial) -> None:
        # Trials are numbered by their places here, so that nothing has to be looked up: a replay puts thousands.
        trials = self.history.trials
        whole = (*trials[: trial.number], trial, *trials[trial.number + 1 :])
        self.history = History(whole, self.history.cursor + 1)

    @property
    def _moment(self) -> datetime:
        return _EPOCH + timedelta(seconds=self.now)


def _ended(run: Run, row: Row, rungs: Sequence[float], looked: Sequence[float]) -> Run:
    """A run as the table says that it ends: complete, diverged on its way, or paused and scored on a few cases."""
    share, before = rungs[run.key.rung], rungs[run.key.rung - 1] if run.key.rung else 0.0
    seen = len(row.training_dice)
    curve = tuple(
        Measurement(tenth + 1, metric, values[tenth])
        for tenth in range(math.floor(before * TENTHS), min(math.floor(share * TENTHS), seen))
        for metric, values in (("training_dice", row.training_dice), ("loss", row.losses))
    )
    scores = row.scores if share == 1 else _look(row, looked.index(share))
    dice = mean_dice(scores)
    if dice != dice:
        return replace(run, state=State.DIVERGED, reason=row.reason, curve=curve)
    state = State.COMPLETE if share == 1 else State.PAUSED
    return replace(run, state=state, values={"dice": dice}, curve=curve)


def _look(row: Row, rung: int) -> Scores:
    """The Dice of a few cases at a rung; nothing where training had diverged before."""
    return row.looks[rung] if rung < len(row.looks) else ()
