"""A study in a database, as those who work on it and those who read it see it."""

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from nas.clock import Clock
from nas.study import looks
from nas.study.history import Document, Entry, History, Measurement, Result, RunKey, State, Trial
from nas.study.objective import COSTS, best_runs
from nas.study.protocol import ArchitectureRecord, Busy, Claim, Orphaned, Proposal, Wanted, Worker, in_the_search
from nas.study.settings import StudySettings
from nas.study.sql import claims, files, journal, reading, workers
from nas.study.sql.retrying import patiently
from nas.study.sql.storage import Storage
from nas.study.sql.tables import RunRow, StudyRow, TrialRow
from nas.study.summary import Glance, glance, summary


@dataclass(frozen=True)
class SqlStudy:
    """One study in a storage; see `nas.study.protocol.Study`. Made by `create_or_resume` and `open_study`.

    Each method raises `InputError` where the database is full or out of reach.
    """

    storage: Storage
    id: int
    created: datetime
    settings: StudySettings

    @property
    def name(self) -> str:
        """What `--study` calls it."""
        return self.settings.name

    @property
    def clock(self) -> Clock:
        """What its records are dated by."""
        return self.storage.clock

    def history(self, since: History | None = None) -> History:
        """All that is known, or an earlier history grown by what is new."""
        return reading.history(self.storage, self.id, since or History())

    def measurements(self, run: int, metric: str | None = None) -> list[Measurement]:
        """All that a run has measured, or one metric, by epoch, class and case."""
        return reading.measurements(self.storage, run, metric)

    def architecture(self, digest: str) -> ArchitectureRecord:
        """A network that some study has recorded."""
        return reading.architecture(self.storage, digest)

    def start(self, proposal: Proposal, worker: Worker, *, most: int) -> Claim | Trial | Busy:
        """Make a proposal a trial: the right to train it, or the trial on record where it is not to be trained."""
        outcome = claims.start(self.storage, self.id, proposal, worker, most)
        return outcome if isinstance(outcome, Claim | Busy) else reading.trial(self.storage, self.id, outcome)

    def go_on(self, trial: int, key: RunKey, worker: Worker) -> Claim | Busy:
        """Begin another run of a trial: its next rung, or another fold, seed or split."""
        return claims.go_on(self.storage, self.id, trial, key, worker)

    def take_up(self, worker: Worker, dead: Collection[int], wanted: Wanted = in_the_search) -> Claim | None:
        """The first wanted run that waits, or whose worker is dead or is this one."""
        return claims.take_up(self.storage, self.id, worker, dead, wanted)

    def report(self, claim: Claim, measurements: Iterable[Measurement]) -> None:
        """Put measurements on record, all at once."""
        claims.report(self.storage, self.id, claim, measurements)

    def keep(self, claim: Claim, kind: str, path: Path) -> None:
        """Move a file in; of a kind, a run keeps one."""
        files.keep(self.storage, self.id, self.name, claim, kind, path)

    def file(self, run: int, kind: str) -> Path:
        """A run's file, unchanged."""
        return files.file(self.storage, run, kind)

    def checkpoint(self, claim: Claim) -> Path | None:
        """Where to go on from: the run's own checkpoint, else that of the rung before it."""
        return files.checkpoint(self.storage, claim)

    def finish(self, claim: Claim, result: Result) -> None:
        """Put a run's result on record. A paused run keeps its checkpoint, any other end drops it."""
        claims.finish(self.storage, self.id, claim, result, self.settings.goals[0].metric)
        files.drop_checkpoints(self.storage, claim.run, also_own=result.state is not State.PAUSED)

    def give_back(self, claim: Claim) -> None:
        """Let another worker go on with a run, from its last checkpoint."""
        claims.give_back(self.storage, self.id, claim)

    def give_up(self, claim: Claim, reason: str) -> State:
        """Note that a run raised: it waits to be tried again, or after several times it is failed."""
        state = claims.give_up(self.storage, self.id, claim, reason)
        if state is State.FAILED:
            files.drop_checkpoints(self.storage, claim.run, also_own=True)
        return state

    def at_work(self, device: str, *, lease: float, orphaned: Orphaned | None = None) -> AbstractContextManager[Worker]:
        """Register a worker that is alive until the block ends; see `nas.study.sql.workers.at_work`."""
        return workers.at_work(self.storage, self.id, device, lease=lease, orphaned=orphaned)

    def watch(self, lease: float) -> workers.BeatWatch:
        """Who is alive, where one without a sign of life for a lease of seconds is dead."""
        return workers.BeatWatch(self.storage, self.id, lease)

    def prune(self, keep: int) -> int:
        """Delete the weights of all but so many of the best and the published networks, and idle checkpoints."""
        goals = self.settings.goals
        if len(goals) > 1:  # several objectives want more than the score of each run
            return files.prune(self.storage, self.id, best_runs(self.history(), goals, keep))
        return files.prune(self.storage, self.id, files.best_by_score(self.id, keep, goals[0].direction))

    def write_down(self, kind: str, content: Document) -> Entry:
        """Add a line to the journal."""
        return journal.write_down(self.storage, self.id, kind, content)

    def journal(self, kind: str) -> tuple[Entry, ...]:
        """The lines of a kind, the first one first."""
        return journal.journal(self.storage, self.id, kind)

    @patiently
    def is_current(self, space_digest: str) -> bool:
        """Whether the space is still that: another process may have widened it."""
        with self.storage.begin() as session:
            return session.scalar(select(StudyRow.space_digest).where(StudyRow.id == self.id)) == space_digest

    @patiently
    def want(self, trials: int, changes: Document | None = None) -> None:
        """Note what workers that join later need to know.

        Args:
            trials: how many different networks are wanted in all.
            changes: of the plan, as a longer time.
        """
        with self.storage.begin() as session:
            row = session.get_one(StudyRow, self.id)
            row.wanted, row.plan = trials, {**row.plan, **(changes or {})}

    @patiently
    def wanted(self) -> int:
        """How many different networks are wanted in all; 0 if nobody has said."""
        with self.storage.begin() as session:
            return session.scalar(select(StudyRow.wanted).where(StudyRow.id == self.id)) or 0

    def glance(self, most: int) -> Glance:
        """How far it is, and its best and published networks, without reading what is not shown."""
        goals = self.settings.goals
        if len(goals) > 1 or goals[0].metric in COSTS:
            return glance(self.history(), goals, most)
        return reading.glance(self.storage, self.id, goals[0], most)

    def summary(self) -> dict[str, Any]:
        """It in a few words, as JSON."""
        facts = summary(self.name, self.storage.address, self.settings.goals, self.glance(1))
        return facts | {"together": self.settings.together, "held_out": looks.held_out(self)}

    @patiently
    def counts(self) -> tuple[int, dict[State, int]]:
        """How many trials there are, and how many runs and refusals of each state: without reading them all."""
        run, trial = RunRow, TrialRow
        runs = select(run.state, func.count()).where(run.study_id == self.id).group_by(run.state)
        refused = (trial.study_id == self.id) & trial.refusal.is_not(None)
        with self.storage.begin() as session:
            trials = session.scalar(select(func.count()).where(trial.study_id == self.id)) or 0
            rows = [
                *session.execute(runs),
                *session.execute(select(trial.refusal, func.count()).where(refused).group_by(trial.refusal)),
            ]
        states = dict.fromkeys(State, 0)
        for state, number in rows:
            states[State(state)] += number
        return trials, states
