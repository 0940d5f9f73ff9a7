"""What the torture scripts share: databases of their own, searches as processes, and a verdict."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from nas.study.history import UNDERWAY, State
from nas.study.sql.opening import open_study
from nas.study.sql.storage import open_storage
from nas.study.sql.study import SqlStudy
from tests.study.server import Server, free_port, missing

STUDY = "torture"
SMALL = ("--space", "tiny", "--patch", "32,32", "--steps", "2", "--budget", "10h", "--study", STUDY)
"""A real training, but of half a second."""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone at the end."""
    made = Path(tempfile.mkdtemp(prefix="nas-torture-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def postgres(**settings: object) -> Iterator[Server]:
    """A PostgreSQL server with its usual care for what it writes."""
    if missing():
        raise SystemExit(f"PostgreSQL is not installed: {', '.join(missing())}")
    with folder() as place:
        place.chmod(0o755)
        server = Server(place / "cluster", free_port())
        server.make()
        server.start(**settings)
        try:
            yield server
        finally:
            server.stop("immediate")


@contextmanager
def databases(where: Path, **settings: object) -> Iterator[dict[str, str]]:
    """An empty database of each kind."""
    with postgres(**settings) as server:
        yield {"SQLite": f"sqlite:///{where / 'nas.db'}", "PostgreSQL": server.url}


def search(address: str, where: Path, *options: str) -> "subprocess.Popen[bytes]":
    """`nas search` as a process of its own, its words in a file."""
    environment = os.environ | {"NAS_STORAGE": address, "NAS_ARTIFACTS": str(where / "artifacts")}
    with (where / "search.log").open("ab") as log:
        command = [sys.executable, "-m", "nas.cli", "search", *SMALL, *options]
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)


def workers(search: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """The workers that a search has started."""
    try:
        found = psutil.Process(search.pid).children()
    except psutil.NoSuchProcess:
        return []
    return [each for each in found if each.status() != psutil.STATUS_ZOMBIE]


@contextmanager
def opened(address: str, where: Path, patience: float = 600) -> Iterator[SqlStudy]:
    """The study, once it is there."""
    give_up = time.monotonic() + patience
    while True:
        try:
            with open_storage(address, artifacts=where / "artifacts", create=False) as storage:
                yield open_study(storage, STUDY)
                return
        except Exception:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.5)


def complete(study: SqlStudy) -> int:
    """How many networks are trained."""
    return study.counts()[1][State.COMPLETE]


def underway(study: SqlStudy) -> int:
    """How many runs are under way, or wait."""
    states = study.counts()[1]
    return sum(states[state] for state in UNDERWAY)


def say(text: str) -> None:
    """A line, at once."""
    print(text, flush=True)


def expect(what: str, truth: bool) -> None:
    """Print a verdict and end the script where it is bad."""
    say(f"  {'ok  ' if truth else 'FAIL'}  {what}")
    if not truth:
        raise SystemExit(1)
