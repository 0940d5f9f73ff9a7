"""A worker dies in the middle of a training, and another goes on from its checkpoint."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nas.searching.measuring import WEIGHTS
from nas.study.claims import underway
from nas.study.opening import open_study
from nas.study.records import Evaluation, Measurement, State
from nas.study.storage import open_storage

import nas
from nas.training.checkpoints import read_checkpoint

NAME = "tiny-brain-synthetic"
STEPS = 40
DEATH = 25
ROOT = Path(__file__).parents[2]


def worker(folder: Path, *dies: int) -> tuple[int, list[int]]:
    """A worker that trains a second network, and perhaps dies on the way: how it ended, and the steps it did."""
    command = [sys.executable, "-m", "tests.searching.mortal", str(folder / "nas.db"), NAME, "2", *map(str, dies)]
    ended = subprocess.run(
        command, cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True, check=False
    )
    return ended.returncode, [int(line) for line in ended.stdout.split()]


def second(folder: Path) -> tuple[Evaluation, list[Measurement], bytes]:
    """The second network: what is on record of it, all that was measured, and its weights."""
    with open_storage(folder / "nas.db") as storage:
        study = open_study(storage, NAME)
        assert underway(study) == (2, 0, 0)
        _, found = study.evaluations(State.COMPLETE)
        return found, study.learning_curve(found.id), study.artifact(found.id, WEIGHTS).read_bytes()


@pytest.mark.slow
def test_a_killed_training_is_taken_up_from_its_checkpoint_and_ends_as_if_nothing_had_been(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    options: dict[str, Any] = {"space": "tiny", "steps": STEPS, "budget": "1h", "patch": (32, 32), "device": "cpu"}
    nas.search(trials=1, storage=str(whole / "nas.db"), **options).study.storage.close()
    shutil.copytree(whole, broken)

    assert worker(whole) == (0, list(range(1, STEPS + 1)))
    assert worker(broken, DEATH) == (-signal.SIGKILL, list(range(1, DEATH + 1)))
    with open_storage(broken / "nas.db") as storage:
        study = open_study(storage, NAME)
        (left,) = study.evaluations(State.RUNNING)
        kept = study.checkpoint(left.id)
        assert kept is not None
        assert read_checkpoint(kept).step == DEATH - 1
    assert worker(broken) == (0, list(range(DEATH, STEPS + 1)))

    (expected, curve, weights), (found, again, same) = second(whole), second(broken)
    assert (found.id, found.claim, found.failures) == (left.id, 2, 1)
    assert (expected.claim, expected.failures) == (1, 0)
    assert (found.trial, found.decisions, found.dice) == (expected.trial, expected.decisions, expected.dice)
    assert again == curve
    assert same == weights
