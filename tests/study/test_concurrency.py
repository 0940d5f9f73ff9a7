"""Several processes on one database."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any

import pytest

from nas.study.history import Measurement, Result, State
from nas.study.protocol import Busy, Claim
from nas.study.settings import StudySettings
from nas.study.sql import reading
from nas.study.sql.opening import create_or_resume, list_studies
from nas.study.sql.storage import open_storage
from nas.study.sql.study import SqlStudy
from nas.study.summary import counts
from tests.study.runs import complete, image, proposal

PROCESSES = 4
NETWORKS = 20


def together(work: Callable[..., int], *arguments: object) -> list[int]:
    """Run the same work in several processes, which begin at the same moment."""
    context = get_context("spawn")
    everyone = context.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, context, initializer=wait, initargs=(everyone,)) as processes:
        return [future.result() for future in [processes.submit(work, *arguments) for _ in range(PROCESSES)]]


def wait(everyone: Barrier) -> None:
    everyone.wait()


def search(address: str, settings: StudySettings) -> int:
    """Propose some networks, which the other processes propose too, and train those that are free."""
    with open_storage(address) as storage:
        study = create_or_resume(storage, settings)
        with study.at_work("cpu", lease=30) as worker:
            for number in range(NETWORKS):
                given = proposal(f"net {number}", decisions={"width": number + 1})
                while isinstance(step := study.start(given, worker, most=10_000), Busy):
                    time.sleep(0.01)
                if isinstance(step, Claim):
                    dice = number / NETWORKS
                    study.report(step, [Measurement(epoch, "dice", dice) for epoch in range(5)])
                    study.finish(step, Result(state=State.COMPLETE, values={"dice": dice}))
                image(study)
    return study.id


def test_processes_that_make_one_study_at_the_same_moment_share_it_and_lose_nothing(
    address: str, settings: Callable[..., StudySettings]
) -> None:
    (shared,) = set(together(search, address, settings()))

    with open_storage(address) as storage:
        (study,) = list_studies(storage)
        assert study.id == shared
        history = study.history()
        trials = image(study).trials
        assert [trial.number for trial in trials] == [trial.number for trial in history.trials]
        assert [trial.value for trial in trials] == [trial.values.get("dice") for trial in history.trials]
        counted = counts(history)
        assert (counted.trials, counted.complete, counted.distinct, counted.duplicate) == (
            PROCESSES * NETWORKS,
            NETWORKS,
            NETWORKS,
            (PROCESSES - 1) * NETWORKS,
        )
        assert all(len(trial.runs[0].curve) == 5 for trial in history.in_state(State.COMPLETE))


def test_a_trial_that_is_added_while_others_are_read_is_read_next_time(
    study: SqlStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(study, "a", 0.5)
    read = reading._runs

    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.undo()
        complete(study, "b", 0.6)
        return read(*arguments)

    monkeypatch.setattr(reading, "_runs", meanwhile)
    history = study.history()
    assert [trial.digest for trial in history.trials] == ["a"]
    assert study.history(history) == study.history()
    assert [trial.values for trial in study.history(history).trials] == [{"dice": 0.5}, {"dice": 0.6}]
