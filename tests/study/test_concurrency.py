"""Several processes on one database."""

import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

<<<<<<< HEAD
from nas.study.opening import create_or_resume, list_studies
from nas.study.records import ArchitectureRecord, Measurement, State, StudySettings
from nas.study.storage import open_storage

from tests.study.evaluations import ended
=======
from nas.study.history import Measurement, Result, State
from nas.study.protocol import Busy, Claim
from nas.study.settings import StudySettings
from nas.study.sql.opening import create_or_resume, list_studies
from nas.study.sql.storage import open_storage
from nas.study.summary import counts
from tests.study.runs import image, proposal
>>>>>>> roomtests

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
