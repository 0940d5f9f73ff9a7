"""Carrying out runs that are wanted beside a search, here or by starting workers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nas.architecture import EncoderDecoder
from nas.data import Dataset
from nas.network.device import pick_device
from nas.searching.assignments.assigned import assigned_search
from nas.searching.assignments.assignment import Assignment, read
from nas.searching.engines import start_workers
from nas.searching.events import Event, Listener, Note, TrialEnded, Working
from nas.searching.loop import work
from nas.searching.settings import SearchSettings
from nas.searching.setup.slots import share_threads
from nas.searching.strategies.assigned import Job
from nas.space import Space
from nas.study.history import History, Run, Split, State
from nas.study.protocol import Study
from nas.study.sql.study import SqlStudy


def carry_out(
    study: SqlStudy,
    number: int,
    space: Space[EncoderDecoder],
    dataset: Dataset,
    settings: SearchSettings,
    listener: Listener,
) -> None:
    """Train all runs of an assignment that are not done, here or by starting workers.

    Args:
        study: which has them.
        number: of the assignment.
        space: of the study.
        dataset: the study's.
        settings: how many workers, where, by which engine.
        listener: hears what happens.

    Raises:
        InputError: the workers cannot go on.
        KeyboardInterrupt: stopped; the same command goes on.
    """
    assignment = read(study, number)
    observer = RunsObserver(study, assignment, listener)
    if settings.at_once > 1 or settings.engine != "local":
        start_workers(study, settings, listener, observer, number)
        return
    share_threads(settings)
    device = pick_device(settings.slots[0])

    def hear(event: Event) -> None:
        if isinstance(event, TrialEnded):
            observer.look()
        else:
            listener(event)

    search = assigned_search(study, assignment, space, dataset, settings.cache, device, hear)
    work(search, device=str(device), lease=settings.lease)
    observer.look()


@dataclass
class RunsObserver:
    """Tells a listener of every run of an assignment that ends, whoever trains it."""

    study: Study
    assignment: Assignment
    listener: Listener
    ended: int = 0
    _history: History = field(default_factory=History)
    _told: set[Job] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._history = self.study.history()
        self._told = set(self.assignment.ended(self._history))

    def look_for_failures(self) -> None:
        """A run whose workers end badly is failed after a few times, and the others go on."""

    def look(self) -> None:
        """Tell what has happened since the last look."""
        self._history = self.study.history(self._history)
        ended, total = self.assignment.ended(self._history), len(self.assignment.jobs)
        for job in self.assignment.jobs:
            if job in ended and job not in self._told:
                self._told.add(job)
                self.ended += 1
                self.listener(Note(f"{len(self._told):>3}/{total}  {self._line(ended[job])}"))
        running = sum(run.state is State.RUNNING for run in self.assignment.runs(self._history).values())
        self.listener(Working(f"{running} in training", len(self._told), total))

    def _line(self, run: Run) -> str:
        trial = self._history.by_number[run.trial]
        name = f"{trial.reference or f'trial {trial.number}'}, {place_in_words(run)}, seed {run.key.seed}"
        if run.state is not State.COMPLETE:
            return f"{name}: {run.state}: {(run.reason or 'no reason given').strip().splitlines()[-1]}"
        return f"{name}: {_in_words(run.values) or 'trained'}, {run.seconds or 0:.0f} s"


def time_in_words(runs: int, seconds: float | None, workers: int) -> str:
    """How long trainings of some seconds will take; nothing where that is not known."""
    if seconds is None:
        return ""
    total = runs * seconds / workers
    minutes = round(total / 60)
    about = f"{total:.0f} s" if total < 90 else f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
    return f", {seconds:.0f} s each: about {about}"


def place_in_words(run: Run) -> str:
    """Which cases a run is scored on."""
    return {Split.HOLDOUT: "held-out cases", Split.ALL: "all cases"}.get(run.key.split, f"fold {run.key.fold}")


def _in_words(values: Mapping[str, float]) -> str:
    return ", ".join(f"{name.capitalize()} {value:.4f}" for name, value in values.items())
