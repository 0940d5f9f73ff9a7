"""A study of 10,000 trials: how long status, resuming and a proposal take."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import open_storage
from nas.study.sql.study import SqlStudy
from tests.benchmarks.filled import SPACE, described, fill
from tests.benchmarks.proposals import BARS, Times, asked, milliseconds, proposals, step
from tests.study.conftest import SETTINGS
from tests.torture.common import databases, expect, folder, say


def main() -> None:
    """Fill a study by steps and measure at each; on the database that is named, or on both."""
    with folder() as where, databases(where) as addresses:
        for kind, address in addresses.items():
            if len(sys.argv) < 2 or sys.argv[1].lower() == kind.lower():
                with open_storage(address, artifacts=where / "artifacts") as storage:
                    measure(kind, address, create_or_resume(storage, SETTINGS))


def measure(kind: str, address: str, study: SqlStudy) -> None:
    """Time what people and searches do."""
    generator, evaluator = random.Random(0), described()
    missed = []
    for size, bar in BARS.items():
        begun = time.monotonic()
        fill(study, evaluator, generator, size)
        say(f"{kind}: {size} trials of {SPACE} ({time.monotonic() - begun:.0f} s to make)")
        first, later = proposals(study, asked(evaluator, SETTINGS.goals, "tree_parzen", 1), evaluator)
        words = ", ".join(f"{name} {milliseconds(seconds)}" for name, seconds in later.parts.items())
        say(f"  a first proposal, reading everything: {milliseconds(first.wall)} ms; the next ones, ms (the best):")
        say(f"  {milliseconds(later.wall)}, {milliseconds(later.processor)} of processor time; {words}")
        if kind == "SQLite" and 1000 * median(later.wall) > bar:
            missed.append(size)
    seconds = command(address, "status", study.name)
    bare = command(address, "--version")
    say(f"  nas status: {seconds:.2f} s, of which {bare:.2f} s is starting Python")
    with open_storage(address) as again:
        begun = time.monotonic()
        resumed = create_or_resume(again, SETTINGS)
        with resumed.at_work("cpu", lease=60) as worker:
            resumed.take_up(worker, resumed.watch(60).look(worker.id)[0])
            step(resumed, asked(evaluator, SETTINGS.goals, "tree_parzen", 1), evaluator, worker, None, Times())
        resuming = time.monotonic() - begun
    say(f"  resuming, from opening the database to the first proposal: {resuming:.2f} s")
    expect("nas status within 1 s", seconds < 1)
    expect("resuming within 3 s", resuming < 3)
    expect(f"each proposal within its bar {list(BARS.values())} ms", not missed)


def command(address: str, *arguments: str) -> float:
    """Seconds of a command; the best of five, as the first one reads from disk and others may use the machine."""
    times = []
    for _ in range(5):
        begun = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "nas.cli", *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"NAS_STORAGE": address},
            cwd=Path.cwd(),
        )
        times.append(time.monotonic() - begun)
    return min(times)


if __name__ == "__main__":
    sys.exit(main())
