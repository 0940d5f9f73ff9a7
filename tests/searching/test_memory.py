"""A worker that trains one network after the other holds no more memory at the end than when it had warmed up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..data.factories import pairs

TRIALS, WARM = 400, 100
SLACK = 64 * 2**20
"""Bytes by which memory may grow from trial 100 to trial 400; most proposals of so small a space are soon known."""
FILES = 4
"""Open files by which a process may grow."""

PROGRAM = """
import sys
import psutil
import nas
from nas.searching.events import TrialEnded

def note(event):
    if isinstance(event, TrialEnded):
        process = psutil.Process()
        print(event.complete, process.memory_info().rss, process.num_fds(), flush=True)

data, trials = sys.argv[1], int(sys.argv[2])
nas.search(space="tiny", data=data, trials=trials, steps=1, batch=2, budget="24h", patch=(16, 16), listener=note)
"""


@pytest.mark.slow
def test_memory_and_open_files_are_flat_over_400_trials(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(pairs(tmp_path / "data")), str(TRIALS)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    rows = [tuple(map(int, line.split())) for line in ended.stdout.splitlines()]
    held = {trial: size for trial, size, _ in rows}
    files = {trial: number for trial, _, number in rows}
    assert max(held) == TRIALS
    assert held[TRIALS] - held[WARM] < SLACK, {trial: size >> 20 for trial, size in held.items() if trial % 25 == 0}
    assert files[TRIALS] - files[WARM] < FILES, files
