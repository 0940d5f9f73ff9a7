"""Runs are written for TensorBoard and MLflow once and whole; a tracker in trouble is left alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nas.errors import InputError
from nas.searching.events import Event, Note, Working
from nas.searching.settings import SearchSettings
from nas.searching.trackers import Tracker, expect_trackers, tracked
from nas.study.history import History, Measurement, Run, RunKey, State, Trial

pytestmark = pytest.mark.filterwarnings("ignore")  # of the trackers' own libraries
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def curve(epochs: int) -> tuple[Measurement, ...]:
    return tuple(Measurement(epoch, "dice", 0.1 * epoch) for epoch in range(1, epochs + 1))


def run(number: int, epochs: int, state: State = State.RUNNING) -> Run:
    return Run(
        id=number,
        trial=number,
        key=RunKey(),
        state=state,
        reason=None,
        values={"dice": 0.8} if state is State.COMPLETE else {},
        steps=None,
        seconds=1.0,
        peak_bytes=None,
        device="cpu",
        worker="w",
        started=NOW,
        finished=None if state is State.RUNNING else NOW,
        curve=curve(epochs),
    )


def trial(number: int, *runs: Run, reference: str | None = "U-Net / BN") -> Trial:
    decisions: dict[str, Any] = {f"encoder.{i}.block": "plain" for i in range(120)} | {"width": 8, "stem": None}
    return Trial(
        number=number,
        decisions=decisions,
        digest="d",
        recipe_digest="r",
        parameters=5,
        macs=6,
        reference=reference,
        runs=runs,
    )


def step(tracker: Tracker, epochs: int, state: State = State.RUNNING) -> None:
    now = run(3, epochs, state)
    tracker.write(trial(3, now), now)


Points = list[tuple[int, float]]
Read = Callable[[Path], dict[str, Points]]


def read_tensorboard(folder: Path) -> dict[str, Points]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (only,) = [path for path in (folder / "study").iterdir() if path.is_dir()]
    assert only.name == "0003-U-Net-BN-run-3"
    events = EventAccumulator(str(only))
    events.Reload()
    tags = events.Tags()["scalars"]
    return {tag: [(event.step, round(event.value, 4)) for event in events.Scalars(tag)] for tag in tags}


def read_mlflow(folder: Path) -> dict[str, Points]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=folder.as_uri())
    experiment = client.get_experiment_by_name("study")
    (only,) = client.search_runs([experiment.experiment_id])
    assert only.info.run_name == "3 U-Net / BN"
    assert only.data.params["encoder.119.block"] == "plain"
    found = {name: client.get_metric_history(only.info.run_id, name) for name in only.data.metrics}
    return {name: [(metric.step, round(metric.value, 4)) for metric in history] for name, history in found.items()}


TRACKERS: list[tuple[str, Read, str]] = [
    ("tensorboard", read_tensorboard, "final/dice"),
    ("mlflow", read_mlflow, "final.dice"),
]


def opened(name: str, folder: Path) -> Tracker:
    from importlib import import_module

    where = folder.as_uri() if name == "mlflow" else str(folder)
    made: Tracker = import_module(f"nas.searching.trackers.{name}").tracker(where, "study")
    return made


@pytest.fixture(autouse=True)
def files_are_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's folders, which it keeps for tests such as these: its databases take seconds to make."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")


@pytest.mark.parametrize(("name", "read", "final"), TRACKERS, ids=[name for name, *_ in TRACKERS])
def test_a_run_is_written_once_and_whole(name: str, read: Read, final: str, tmp_path: Path) -> None:
    tracker = opened(name, tmp_path)
    for epochs in (0, 1, 1, 3):
        step(tracker, epochs)
    step(tracker, 4, State.COMPLETE)
    step(tracker, 4, State.COMPLETE)
    tracker.close()
    expected = [(1, 0.1), (2, 0.2), (3, 0.3), (4, 0.4)]
    found = read(tmp_path)
    assert (found["dice"], found[final]) == (expected, [(0, 0.8)])
    again = opened(name, tmp_path)  # the search goes on in another process
    step(again, 4, State.COMPLETE)
    again.close()
    assert read(tmp_path) == found


@pytest.mark.parametrize(("name", "read", "final"), TRACKERS, ids=[name for name, *_ in TRACKERS])
def test_a_run_that_another_process_began_is_gone_on_with(name: str, read: Read, final: str, tmp_path: Path) -> None:
    first = opened(name, tmp_path)
    step(first, 2)
    first.close()
    second = opened(name, tmp_path)
    step(second, 3)
    step(second, 3, State.COMPLETE)
    second.close()
    assert read(tmp_path)["dice"] == [(1, 0.1), (2, 0.2), (3, 0.3)]


class Study:
    """As much of a study as trackers look at."""

    name = "study"

    def __init__(self) -> None:
        self.states = iter([run(3, 1), run(3, 2), run(3, 2, State.COMPLETE)])
        self.clock = self
        self.seconds = 0.0

    def steady(self) -> float:
        self.seconds += 6
        return self.seconds

    def history(self, since: History | None = None) -> History:
        latest = next(self.states, run(3, 2, State.COMPLETE))
        return replace(since or History(), trials=(trial(3, latest),))


@pytest.fixture
def heard() -> list[Event]:
    return []


def test_a_search_is_tracked_while_its_listener_hears_everything(tmp_path: Path, heard: list[Event]) -> None:
    settings = SearchSettings(tensorboard=str(tmp_path))
    with tracked(Study(), settings, heard.append) as listener:  # type: ignore[arg-type]
        for done in range(3):
            listener(Working("training", done, 3))
    assert len(heard) == 3
    assert read_tensorboard(tmp_path)["dice"] == [(1, 0.1), (2, 0.2)]


def test_a_tracker_that_fails_is_said_once_and_left(tmp_path: Path, heard: list[Event]) -> None:
    (tmp_path / "study").write_text("no folder")
    settings = SearchSettings(tensorboard=str(tmp_path))
    with tracked(Study(), settings, heard.append) as listener:  # type: ignore[arg-type]
        for done in range(3):
            listener(Working("training", done, 3))
    notes = [event.text for event in heard if isinstance(event, Note)]
    assert len(notes) == 1
    assert notes[0].startswith("warning: tensorboard is no longer written: ")


def test_a_library_that_is_missing_is_said_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "nas.searching.trackers.mlflow", None)
    with pytest.raises(InputError, match=r"mlflow: its library is not installed .* pip install 'nas\[mlflow\]'"):
        expect_trackers(SearchSettings(mlflow="runs"))
    expect_trackers(SearchSettings())
