"""Several processes on one database."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

from nas.study.opening import create_or_resume, list_studies
from nas.study.records import ArchitectureRecord, Measurement, State, StudySettings
from nas.study.storage import open_storage

from tests.study.evaluations import ended

PROCESSES = 4
EVALUATIONS = 20


def together(work: Callable[..., int], *arguments: object) -> list[int]:
    """Run the same work in several processes, which begin at the same moment."""
    context = get_context("spawn")
    everyone = context.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, context, initializer=wait, initargs=(everyone,)) as processes:
        return [future.result() for future in [processes.submit(work, *arguments) for _ in range(PROCESSES)]]


def wait(everyone: Barrier) -> None:
    everyone.wait()


def search(address: str, settings: StudySettings) -> int:
    """Finish some trials, each with a network that the other processes find too."""
    with open_storage(address) as storage:
        study = create_or_resume(storage, settings)
        told = study.optuna_study()
        for number in range(EVALUATIONS):
            trial = told.ask()
            dice = trial.suggest_float("dice", 0, 1)
            study.record_architecture(ArchitectureRecord(f"net {number}", {}, {}, 1, 1, 1))
            evaluation = ended(study, trial.number, f"net {number}", State.COMPLETE, dice=dice)
            study.measure(evaluation, [Measurement(epoch, "dice", dice) for epoch in range(5)])
            told.tell(trial, dice)
    return study.id


def test_processes_that_make_one_study_at_the_same_moment_share_it_and_lose_nothing(
    address: str, settings: Callable[..., StudySettings]
) -> None:
    (shared,) = set(together(search, address, settings()))

    with open_storage(address) as storage:
        (study,) = list_studies(storage)
        assert study.id == shared
        told = {trial.number: trial.value for trial in study.optuna_study().trials}
        assert told == {evaluation.trial: evaluation.dice for evaluation in study.evaluations(State.COMPLETE)}
        counts = study.counts()
        assert (counts.trials, counts.complete, counts.distinct) == (
            PROCESSES * EVALUATIONS,
            PROCESSES * EVALUATIONS,
            EVALUATIONS,
        )
        assert all(len(study.learning_curve(evaluation.id)) == 5 for evaluation in study.evaluations())
