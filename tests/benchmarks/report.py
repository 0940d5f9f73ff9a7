"""How long a report takes, of a made-up study of so many networks: python -m tests.benchmarks.report 1000

The database is made first, which takes minutes, and is no part of the figures.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from nas.study.objective import Objective
from tests.report.databases import searched
from tests.report.factories import stored

RUNGS = (0.0625, 0.25, 1.0)
SEVERAL = [Objective(), Objective("parameters", "minimize"), Objective("seconds", "minimize")]
ROOT = Path(__file__).parents[2]


def main(count: int) -> None:
    """Print seconds and size for one objective and for three."""
    for objectives in (SEVERAL[:1], SEVERAL):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            made = stored(count, RUNGS, objectives=[objective.to_json() for objective in objectives])
            with searched(folder / "nas.db", made, running=0):
                pass
            seconds, processor = timed(folder)
            size = (folder / "report.html").stat().st_size / 1e6
        print(
            f"{count} networks, {len(objectives)} objective(s): {seconds:.1f} s, {processor:.1f} s of one processor, "
            f"{size:.1f} MB",
            flush=True,
        )


def timed(folder: Path) -> tuple[float, float]:
    """Seconds of the command, start of Python included, and of the processor in it."""
    command = [sys.executable, "-m", "nas.cli", "report", "--no-images", "--to", "report.html", "--storage", "nas.db"]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - begun, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
