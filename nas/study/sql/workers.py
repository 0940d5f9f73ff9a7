"""Who works on a study, and who has stopped: told by counted beats, never by comparing clocks."""

import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from sqlalchemy import func, select, update

from nas.errors import InputError
from nas.study.history import State
from nas.study.protocol import Orphaned, Worker
from nas.study.sql.retrying import patiently
from nas.study.sql.storage import Storage
from nas.study.sql.tables import RunRow, WorkerRow

BEATS_A_LEASE = 6


@contextmanager
def at_work(
    storage: Storage,
    study: int,
    device: str,
    *,
    lease: float,
    orphaned: Orphaned | None = None,
) -> Iterator[Worker]:
    """Register a worker and let its heart beat in a thread of its own until the block ends.

    Args:
        storage: the database.
        study: what it works on.
        device: where it trains.
        lease: after how many seconds without a beat, on their own watch, others take it for dead.
        orphaned: done once, when the process that started this one has ended.
    """
    worker = _register(storage, study, device)
    ended = threading.Event()
    options = (storage, worker.id, lease, ended, orphaned)
    heart = threading.Thread(target=_beat, args=options, daemon=True)
    heart.start()
    try:
        yield worker
    finally:
        ended.set()
        heart.join()
        end_worker(storage, worker.id)


@dataclass
class BeatWatch:
    """Sees which workers have stopped. Ask it now and then: it goes by its own steady clock."""

    storage: Storage
    study: int
    lease: float
    _seen: dict[int, tuple[int, float]] = field(default_factory=dict)

    def look(self, but: int) -> tuple[list[int], list[int]]:
        """The other workers: those that hold work and have ended, been killed or stopped beating; and those that live.

        Args:
            but: the worker that asks.
        """
        now = self.storage.clock.steady()
        dead: list[int] = []
        alive: list[int] = []
        for worker, place, process, born, beats, ended in _others(self.storage, self.study, but):
            if self._seen.get(worker, (None, 0.0))[0] != beats:
                self._seen[worker] = (beats, now)
            silent = now - self._seen[worker][1] > self.lease
            has_ended = ended or silent or (place == here() and not _lives(process, born))
            (dead if has_ended else alive).append(worker)
        return dead, alive


@patiently
def end_worker(storage: Storage, worker: int) -> None:
    """Note that a worker has ended."""
    with storage.begin() as session:
        session.execute(update(WorkerRow).where(WorkerRow.id == worker).values(ended=func.now()))


@patiently
def end_process(storage: Storage, study: int, process: int) -> None:
    """Note that a process on this machine has ended, with every worker in it."""
    here_of_study = (WorkerRow.study_id == study) & (WorkerRow.place == here()) & (WorkerRow.process == process)
    with storage.begin() as session:
        session.execute(update(WorkerRow).where(here_of_study, WorkerRow.ended.is_(None)).values(ended=func.now()))


@patiently
def living(storage: Storage, study: int) -> int:
    """How many workers have not ended, as far as the database knows."""
    at_work_now = (WorkerRow.study_id == study) & WorkerRow.ended.is_(None)
    with storage.begin() as session:
        return session.scalar(select(func.count()).select_from(WorkerRow).where(at_work_now)) or 0


@cache
def here() -> str:
    """What tells apart the machines, boots and containers in which a process number means one process."""
    parts = [socket.gethostname()]
    for source in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            parts.append(os.readlink(source) if source.is_symlink() else source.read_text().strip())
        except OSError:
            parts.append(sys.platform)
    return " ".join(parts)[:200]


@patiently
def _register(storage: Storage, study: int, device: str) -> Worker:
    process = os.getpid()
    name = f"{socket.gethostname()}:{process}"[:200]
    row = WorkerRow(
        study_id=study,
        name=name,
        place=here(),
        process=process,
        born=_born(process),
        device=device[:200],
        started=func.now(),
        heartbeat=func.now(),
        beats=0,
    )
    at_work_now = (WorkerRow.study_id == study) & WorkerRow.ended.is_(None)
    with storage.begin() as session:
        session.add(row)
        session.flush()
        others = session.execute(
            select(WorkerRow.place, WorkerRow.process, WorkerRow.born).where(at_work_now, WorkerRow.id < row.id)
        )
        rank = sum(place != here() or _lives(number, born) for place, number, born in others)
        return Worker(row.id, name, rank, device[:200])


@patiently
def _others(storage: Storage, study: int, but: int) -> list[tuple[int, str, int, float, int, bool]]:
    """Workers other than one that have not ended or still hold an evaluation."""
    held = select(RunRow.worker_id).where(
        RunRow.study_id == study, RunRow.state == State.RUNNING, RunRow.worker_id.is_not(None)
    )
    worker = WorkerRow
    wanted = (worker.study_id == study) & (worker.id != but) & (worker.ended.is_(None) | worker.id.in_(held))
    columns = (worker.id, worker.place, worker.process, worker.born, worker.beats, worker.ended)
    with storage.begin() as session:
        rows = session.execute(select(*columns).where(wanted))
        return [(*row[:5], row[5] is not None) for row in rows]


def _beat(
    storage: Storage,
    worker: int,
    lease: float,
    ended: threading.Event,
    orphaned: Orphaned | None,
) -> None:
    beat = (
        update(WorkerRow)
        .where(WorkerRow.id == worker)
        .values(beats=WorkerRow.beats + 1, heartbeat=func.now(), ended=None)
    )
    while True:
        if orphaned is not None and os.getppid() != orphaned.parent:
            orphaned.act()
            orphaned = None
        if ended.wait(lease / BEATS_A_LEASE):
            return
        try:
            with storage.begin() as session:
                session.execute(beat)
        except InputError:  # out of reach or full: the training goes on, and its own writes say what is wrong
            continue


def _born(process: int) -> float:
    """When a process began, on a clock that nobody sets: seconds since the machine started, where it says so."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return float(fields[19]) / os.sysconf("SC_CLK_TCK")
    except OSError:
        import psutil

        return float(psutil.Process(process).create_time())


def _lives(process: int, born: float) -> bool:
    """Whether that very process is there; another may have its number by now."""
    import psutil

    try:
        return abs(_born(process) - born) < 2 and psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True
