"""Trials that change hands: stopped, taken up again, tried again; and searches that repeat themselves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import nas
from nas.errors import InputError
from nas.graph import Task
from nas.searching.events import Event, TrialEnded, TrialStarted
from nas.searching.observing import Observer
from nas.searching.settings import SearchSettings
from nas.searching.setup.fitting import describe_plan
from nas.searching.setup.search_plan import Limits, SearchPlan
from nas.searching.setup.timing import Speed
from nas.searching.worker import join
from nas.study.history import State
from nas.study.sql.opening import open_study
from nas.study.sql.storage import open_storage
from nas.study.sql.study import SqlStudy
from nas.training import Recipe

NAME = "tiny-pictures"
SMALL: dict[str, Any] = {"space": "tiny", "steps": 2, "budget": "1h", "patch": (16, 16), "data": "pictures"}


class Stop:
    """Interrupts a search as a signal does, when something has happened so often."""

    def __init__(self, kind: type[Event], after: int, error: type[BaseException] = KeyboardInterrupt):
        self._kind, self._left, self._error = kind, after, error

    def __call__(self, event: Event) -> None:
        if isinstance(event, self._kind):
            self._left -= 1
            if self._left == 0:
                raise self._error


@pytest.fixture
def storage(tmp_path: Path) -> str:
    return str(tmp_path / "nas.db")


@pytest.fixture
def study(storage: str) -> Iterator[SqlStudy]:
    """A study of two networks."""
    nas.search(trials=2, storage=storage, **SMALL)
    with open_storage(storage) as opened:
        yield open_study(opened, NAME)


def found(storage: str) -> list[tuple[Any, ...]]:
    with open_storage(storage) as opened:
        trials = open_study(opened, NAME).history().trials
    return [(trial.number, trial.decisions, trial.digest, trial.state, dict(trial.values)) for trial in trials]


def underway(study: SqlStudy) -> tuple[int, int, int]:
    """How many trials are complete, running and waiting."""
    history = study.history()
    complete, running, waiting = (len(history.in_state(s)) for s in (State.COMPLETE, State.RUNNING, State.WAITING))
    return complete, running, waiting


def test_a_stopped_search_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    whole, stopped = str(tmp_path / "whole.db"), str(tmp_path / "stopped.db")
    nas.search(trials=4, storage=whole, **SMALL)
    with pytest.raises(KeyboardInterrupt):
        nas.search(trials=4, storage=stopped, listener=Stop(TrialStarted, 3), **SMALL)
    nas.search(trials=4, storage=stopped, **SMALL)
    assert found(whole) == found(stopped)


def test_a_stopped_trial_waits_and_is_taken_up_once(study: SqlStudy, storage: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        nas.search(trials=3, storage=storage, listener=Stop(TrialStarted, 1), **SMALL)
    assert underway(study) == (2, 0, 1)
    nas.search(trials=3, storage=storage, **SMALL)
    assert underway(study) == (3, 0, 0)
    (last,) = [run for trial in study.history().trials for run in trial.runs if run.claim == 2]
    assert (last.state, last.failures) == (State.COMPLETE, 0)


def test_a_joined_worker_goes_on_with_the_study(study: SqlStudy) -> None:
    heard: list[Event] = []
    join(study, trials=3, lease=30, listener=heard.append)
    assert underway(study) == (3, 0, 0)
    assert any(isinstance(event, TrialEnded) for event in heard)


def test_who_follows_a_study_hears_its_trials_counted_one_by_one(study: SqlStudy) -> None:
    heard: list[Event] = []
    observer = Observer(study, 4, heard.append)
    join(study, trials=4, lease=30, listener=lambda _: None)
    observer.look()
    assert [event.complete for event in heard if isinstance(event, TrialEnded)] == [3, 4]


def test_a_budget_that_several_workers_meet_together_is_not_called_short() -> None:
    settings = SearchSettings(workers=4, trials=8, budget="80s")
    plan = SearchPlan(Recipe(), Limits(seconds=30.0), Speed(0.0, 0.0, 0.0), 0)
    task = Task(axes=2, channels=1, classes=1, patch=(32, 32))
    assert not any("is short" in note.text for note in describe_plan(plan, Recipe(), task, settings))
    alone = replace(settings, workers=1)
    assert any("is short" in note.text for note in describe_plan(plan, Recipe(), task, alone))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": "unet"}, "is not the space of study"),
        ({"data": "nowhere"}, "no such folder"),
        ({"device": "abacus"}, "expected cpu"),
    ],
)
def test_what_does_not_fit_is_refused(study: SqlStudy, changes: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        join(study, trials=3, lease=30, listener=lambda _: None, **changes)


def test_other_data_are_refused(study: SqlStudy) -> None:
    changed = replace(study, settings=replace(study.settings, data_digest="0" * 64))
    with pytest.raises(InputError, match="is not what study"):
        join(changed, trials=3, lease=30, listener=lambda _: None)


def test_code_is_never_loaded_from_the_database(study: SqlStudy) -> None:
    changed = replace(study, settings=replace(study.settings, space="./evil.py"))
    with pytest.raises(InputError, match="is a file of its maker"):
        join(changed, trials=3, lease=30, listener=lambda _: None)


@pytest.mark.parametrize(
    ("settings", "slots"),
    [
        ({}, (None,)),
        ({"workers": 3, "device": "cpu"}, ("cpu", "cpu", "cpu")),
        ({"workers": 3, "devices": "cuda:0, cuda:1"}, ("cuda:0", "cuda:1", "cuda:0")),
    ],
)
def test_slots(settings: dict[str, Any], slots: tuple[str | None, ...]) -> None:
    assert SearchSettings(**settings).slots == slots


def run(*arguments: str, storage: str) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"NAS_STORAGE": storage, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "nas.cli", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


SEARCH = (
    "search",
    "--space",
    "tiny",
    "--data",
    "pictures",
    "--steps",
    "2",
    "--budget",
    "1h",
    "--patch",
    "16,16",
    "--json",
)


@pytest.mark.slow
def test_workers_of_one_command_share_a_study(tmp_path: Path) -> None:
    storage = str(tmp_path / "nas.db")
    search = run(*SEARCH, "--trials", "8", "--workers", "2", storage=storage)
    out, _ = search.communicate()
    assert search.returncode == 0
    assert json.loads(out)["distinct"] == 8
    with open_storage(storage) as opened:
        assert underway(open_study(opened, NAME)) == (8, 0, 0)


BROKEN = """
from dataclasses import dataclass
from torch import nn
from nas.architecture import Concatenate, EncoderDecoder, MaxPool, Stage, Transposed, UpStage, mirrored
from nas.space import Space, integer, one_of, repeated


class Raises(nn.Module):
    def forward(self, x):
        if not self.training and x.device.type != "meta":  # in validation
            raise RuntimeError("boom")
        return x


@dataclass(frozen=True)
class Block:
    def __call__(self, x, ops, site):
        return ops.module(ops.conv_norm_act(x, site.width, stride=site.stride), Raises, site.width)


SPACE = Space(
    name="broken",
    template=EncoderDecoder(
        encoder=(Stage(Block()), *repeated(Stage(Block(), MaxPool()), integer(1, 3))),
        decoder=mirrored(UpStage(Transposed(), Concatenate(), Block()), width=one_of(8, 16)),
        width=one_of(4, 8),
    ),
    description="",
)
"""


@pytest.mark.slow
def test_workers_whose_every_training_raises_end_the_command_with_the_cause(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    search = run(*SEARCH, "--space", str(tmp_path / "broken.py"), "--workers", "2", storage=str(tmp_path / "nas.db"))
    _, said = search.communicate()
    assert search.returncode == 2
    assert b"trials in a row failed and none was trained; trial 0: RuntimeError: boom" in said


@pytest.mark.slow
def test_two_searches_at_one_moment_share_a_study(tmp_path: Path) -> None:
    storage = str(tmp_path / "nas.db")
    searches = [run(*SEARCH, "--trials", "8", storage=storage) for _ in range(2)]
    ended = [json.loads(search.communicate()[0])["distinct"] for search in searches]
    assert [search.returncode for search in searches] == [0, 0]
    assert ended == [8, 8]
    with open_storage(storage) as opened:
        study = open_study(opened, NAME)
        assert underway(study) == (8, 0, 0)
        assert len(study.history().published) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1], ids=["SIGTERM", "SIGUSR1"])
def test_a_preempted_worker_gives_its_trial_back(study: SqlStudy, storage: str, number: signal.Signals) -> None:
    worker = run("worker", "--study", NAME, "--trials", "500", storage=storage)
    for _ in range(600):
        if underway(study)[1]:
            break
        time.sleep(0.05)
    worker.send_signal(number)
    worker.communicate()
    assert worker.returncode == 143
    assert underway(study)[1] == 0
    assert all(trial.failures == 0 for trial in study.history().trials)
