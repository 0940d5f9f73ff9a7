"""Trials that change hands: stopped, taken up again, tried again; and searches that repeat themselves."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from nas.searching.failing import MOST_FAILED
from nas.searching.following import Follower
from nas.searching.joining import join
from nas.study.claims import MOST_FAILURES, underway
from nas.study.opening import open_study
from nas.study.records import State
from nas.study.storage import open_storage
from nas.study.study import Study

import nas
from nas.errors import InputError
from nas.graph import Task
from nas.searching import working
from nas.searching.events import Event, TrialEnded, TrialStarted
from nas.searching.plan import Limits, Plan
from nas.searching.planning import describe_plan
from nas.searching.settings import SearchSettings
from nas.searching.timing import Speed
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
def study(storage: str) -> Iterator[Study]:
    """A study of two networks."""
    nas.search(trials=2, storage=storage, **SMALL)
    with open_storage(storage) as opened:
        yield open_study(opened, NAME)


def found(storage: str) -> list[tuple[Any, ...]]:
    with open_storage(storage) as opened:
        evaluations = open_study(opened, NAME).evaluations()
    return [(e.trial, e.decisions, e.digest, e.state, e.dice) for e in evaluations]


def test_a_stopped_search_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    whole, stopped = str(tmp_path / "whole.db"), str(tmp_path / "stopped.db")
    nas.search(trials=4, storage=whole, **SMALL)
    with pytest.raises(KeyboardInterrupt):
        nas.search(trials=4, storage=stopped, listener=Stop(TrialStarted, 3), **SMALL)
    nas.search(trials=4, storage=stopped, **SMALL)
    assert found(whole) == found(stopped)


def test_a_stopped_trial_waits_and_is_taken_up_once(study: Study, storage: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        nas.search(trials=3, storage=storage, listener=Stop(TrialStarted, 1), **SMALL)
    assert underway(study) == (2, 0, 1)
    nas.search(trials=3, storage=storage, **SMALL)
    assert underway(study) == (3, 0, 0)
    (last,) = [each for each in study.evaluations() if each.claim == 2]
    assert (last.state, last.failures) == (State.COMPLETE, 0)


def test_an_exception_is_tried_again_then_kept_as_failed_with_its_traceback(
    study: Study, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = measured(monkeypatch, lambda call: call > MOST_FAILURES)
    nas.search(trials=3, storage=storage, **SMALL)
    (failed,) = study.evaluations(State.FAILED)
    assert failed.failures == MOST_FAILURES
    assert "RuntimeError: boom" in (failed.reason or "")
    assert len(set(calls[:MOST_FAILURES])) == 1
    states = [trial.state.name for trial in study.optuna_study().trials]
    assert (states.count("FAIL"), states.count("RUNNING")) == (1, 0)


def measured(monkeypatch: pytest.MonkeyPatch, trains: Callable[[int], bool]) -> list[int]:
    """Trainings that raise, but those of which `trains` says by their number that they succeed."""
    calls: list[int] = []

    def measure(bench: Any, graph: Any, recipe: Any, evaluation: int) -> float:
        calls.append(evaluation)
        if not trains(len(calls)):
            raise RuntimeError("boom")
        return 0.5

    monkeypatch.setattr("nas.searching.trial.measure_network", measure)
    return calls


def test_a_search_whose_every_training_raises_ends_early_and_says_why(
    storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = measured(monkeypatch, lambda _: False)
    with pytest.raises(InputError, match="5 trials in a row failed") as ended:
        nas.search(trials=20, storage=storage, **SMALL)
    assert "RuntimeError: boom" in str(ended.value)
    assert f"nas trials {NAME} --state failed --format json" in str(ended.value)
    assert len(calls) == MOST_FAILED * MOST_FAILURES
    with open_storage(storage) as opened:
        failed = open_study(opened, NAME).evaluations(State.FAILED)
        assert len(failed) == MOST_FAILED
        assert all("Traceback" in (each.reason or "") for each in failed)


def test_such_a_search_goes_on_once_the_cause_is_mended(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mended = False
    measured(monkeypatch, lambda _: mended)
    with pytest.raises(InputError, match="in a row failed"):
        nas.search(trials=3, storage=storage, **SMALL)
    mended = True
    assert nas.search(trials=3, storage=storage, **SMALL).summary()["distinct"] == 3


def test_failures_between_which_a_network_is_trained_end_nothing(storage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_row = (MOST_FAILED - 1) * MOST_FAILURES
    calls = measured(monkeypatch, lambda call: call % (in_a_row + 1) == 0)
    nas.search(trials=3, storage=storage, **SMALL)
    assert len(calls) == 3 * (in_a_row + 1)


def test_a_joined_worker_goes_on_with_the_study(study: Study) -> None:
    heard: list[Event] = []
    join(study, trials=3, lease=30, listener=heard.append)
    assert underway(study) == (3, 0, 0)
    assert any(isinstance(event, TrialEnded) for event in heard)


def test_who_follows_a_study_hears_its_trials_counted_one_by_one(study: Study) -> None:
    heard: list[Event] = []
    follower = Follower(study, 4, heard.append)
    join(study, trials=4, lease=30, listener=lambda _: None)
    follower.look()
    assert [event.complete for event in heard if isinstance(event, TrialEnded)] == [3, 4]


def test_a_budget_that_several_workers_meet_together_is_not_called_short() -> None:
    settings = SearchSettings(workers=4, trials=8, budget="80s")
    plan = Plan(Recipe(), Limits(seconds=30.0), Speed(0.0, 0.0, 0.0), 0)
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
def test_what_does_not_fit_is_refused(study: Study, changes: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        join(study, trials=3, lease=30, listener=lambda _: None, **changes)


def test_other_data_are_refused(study: Study) -> None:
    changed = replace(study, settings=replace(study.settings, data_digest="0" * 64))
    with pytest.raises(InputError, match="is not what study"):
        join(changed, trials=3, lease=30, listener=lambda _: None)


def test_code_is_never_loaded_from_the_database(study: Study) -> None:
    changed = replace(study, settings=replace(study.settings, space="./evil.py"))
    with pytest.raises(InputError, match="is a file of its maker"):
        join(changed, trials=3, lease=30, listener=lambda _: None)


def test_the_sampler_sees_the_best_and_the_latest(study: Study) -> None:
    nas.search(trials=6, storage=study.storage.engine.url.database or "", **SMALL)
    everything = study.past(1000)
    few = study.past(4)
    assert len(few) == 4
    assert few == sorted(few, key=lambda each: each.trial)
    best = max(everything, key=lambda each: each.dice or 0)
    assert {best.id, everything[-1].id} <= {each.id for each in few}
    assert working.MOST_PAST >= 100


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
        assert len(study.references()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1], ids=["SIGTERM", "SIGUSR1"])
def test_a_preempted_worker_gives_its_trial_back(study: Study, storage: str, number: signal.Signals) -> None:
    worker = run("worker", "--study", NAME, "--trials", "500", storage=storage)
    for _ in range(600):
        if underway(study)[1]:
            break
        time.sleep(0.05)
    worker.send_signal(number)
    worker.communicate()
    assert worker.returncode == 143
    assert underway(study)[1] == 0
    assert all(each.failures == 0 for each in study.evaluations())
