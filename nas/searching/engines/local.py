"""Workers as processes of this machine, which can crash, leak or run out of memory without touching each other."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from nas.errors import InputError
from nas.searching.events import Listener, Note
from nas.searching.observing import Observes
from nas.searching.settings import SearchSettings
from nas.searching.setup.slots import threads_each
from nas.study.sql.study import SqlStudy
from nas.study.sql.workers import end_process

MOST_CRASHES = 5
"""A worker that ends badly so often in a row, without a trial ended in between, is not started again."""
_PAUSE = 0.25
_PATIENCE = 60.0
"""Seconds that workers have to give back their trials when the search is stopped."""


def start(
    study: SqlStudy, settings: SearchSettings, listener: Listener, observer: Observes, assignment: int | None
) -> None:
    """Keep one worker per slot alive until the search is done; see `nas.searching.engines`."""
    slots = [_Slot(number, device, assignment) for number, device in enumerate(settings.slots)]
    try:
        with tempfile.TemporaryDirectory() as logs:
            for slot in slots:
                slot.log = Path(logs) / f"worker-{slot.number}.log"
            _tend(study, slots, settings, observer, listener)
    finally:
        _stop(study, slots)
    observer.look()


@dataclass
class _Slot:
    """One worker's place."""

    number: int
    device: str | None
    assignment: int | None
    process: "subprocess.Popen[bytes] | None" = None
    crashes: int = 0
    ended_before: int = 0
    done: bool = False
    log: Path = field(default_factory=Path)


def _tend(
    study: SqlStudy, slots: Sequence[_Slot], settings: SearchSettings, observer: Observes, listener: Listener
) -> None:
    for slot in slots:
        slot.process = _launch(study, slot, settings)
    while not all(slot.done for slot in slots):
        time.sleep(_PAUSE)
        observer.look()
        for slot in slots:
            if slot.done or slot.process is None or slot.process.poll() is None:
                continue
            end_process(study.storage, study.id, slot.process.pid)
            slot.done = slot.process.returncode == 0
            if not slot.done:
                _restart(study, slot, settings, observer, listener)


def _restart(study: SqlStudy, slot: _Slot, settings: SearchSettings, observer: Observes, listener: Listener) -> None:
    slot.crashes = 1 if observer.ended > slot.ended_before else slot.crashes + 1
    slot.ended_before = observer.ended
    code = slot.process.returncode if slot.process else 0
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    last = _last_lines(slot.log)
    if slot.crashes >= MOST_CRASHES or code == 2:  # what the user must mend comes again
        slot.done = True
        raise InputError(f"worker {slot.number} ended with {how} and is not started again{last}")
    observer.look_for_failures()
    listener(Note(f"worker {slot.number} ended with {how}; started again{last}"))
    slot.process = _launch(study, slot, settings)


def _launch(study: SqlStudy, slot: _Slot, settings: SearchSettings) -> "subprocess.Popen[bytes]":
    """Start `nas worker`. The address goes through the environment: everybody can read command lines."""
    threads = str(threads_each(settings.slots))
    environment = os.environ | {
        "NAS_STORAGE": study.storage.secret_address,
        "NAS_ARTIFACTS": study.storage.artifacts_address,
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "PYTHONPATH": os.pathsep.join(entry or os.getcwd() for entry in sys.path),
    }
    command = [sys.executable, "-m", "nas.cli", "worker", "--study", study.name, "--space", settings.space]
    command += ["--lease", str(settings.lease), "--cache", settings.cache, "--quiet"]
    command += ["--parent", str(os.getpid())]
    if slot.assignment is not None:
        command += ["--assignment", str(slot.assignment)]
    if slot.device is not None:
        command += ["--device", slot.device]
    if settings.data is not None:
        command += ["--data", settings.data]
    with slot.log.open("ab") as log:
        # A session of its own, so that Ctrl-C reaches the workers once, through us.
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _stop(study: SqlStudy, slots: Sequence[_Slot]) -> None:
    """Let workers give back their trials; kill those that do not."""
    running = [slot.process for slot in slots if slot.process is not None and slot.process.poll() is None]
    for process in running:
        process.terminate()
    give_up = time.monotonic() + _PATIENCE
    for process in running:
        try:
            process.wait(max(give_up - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        end_process(study.storage, study.id, process.pid)


def _last_lines(log: Path, lines: int = 3) -> str:
    try:
        with log.open("rb") as file:
            text = _tail(file)
    except OSError:
        return ""
    last = [line for line in text.splitlines() if line.strip()][-lines:]
    return ":\n  " + "\n  ".join(last) if last else ""


def _tail(file: IO[bytes]) -> str:
    file.seek(0, os.SEEK_END)
    file.seek(max(file.tell() - 4096, 0))
    return file.read().decode(errors="replace")
