"""A search as other programs show it: each run's curve and result, written while it goes on; one file a program.

What is written is read off the study, so that it is whole whichever process trained. Nothing of it is read back, and a
tracker that fails is left alone: the search goes on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Protocol

from nas.errors import InputError, field_named
from nas.searching.events import Event, Listener, Note, TrialEnded
from nas.searching.settings import SearchSettings
from nas.study.history import History, Run, Trial
from nas.study.sql.study import SqlStudy

NAMES = ("tensorboard", "mlflow")
"""Fields of the settings that say where each tracker writes; each is a module here, and an extra."""
_PAUSE = 5.0
"""Seconds between two looks at the study."""


class Tracker(Protocol):
    """What writes runs for another program to show."""

    def write(self, trial: Trial, run: Run) -> None:
        """What is new of a run; called again and again with the same one."""
        ...

    def close(self) -> None:
        """The search has ended."""
        ...


def expect_trackers(settings: SearchSettings) -> None:
    """Refuse trackers whose libraries are not installed.

    Raises:
        InputError: with what to install.
    """
    for name in NAMES:
        if getattr(settings, name) is not None:
            try:
                import_module(f"nas.searching.trackers.{name}")
            except ImportError as error:
                raise InputError(
                    f"{field_named(name)}: its library is not installed ({error}); pip install 'nas[{name}]'"
                ) from error


@contextmanager
def tracked(study: SqlStudy, settings: SearchSettings, listener: Listener) -> Iterator[Listener]:
    """A listener that hears what `listener` hears, and lets the trackers of the settings write meanwhile."""
    wanted = {name: getattr(settings, name) for name in NAMES if getattr(settings, name) is not None}
    if not wanted:
        yield listener
        return
    watch = _Watch(study, listener, wanted)
    try:
        yield watch.hear
    finally:
        watch.look()
        watch.close()


class _Watch:
    def __init__(self, study: SqlStudy, listener: Listener, wanted: dict[str, str]) -> None:
        self._study, self._listener = study, listener
        self._history: History | None = None
        self._looked = float("-inf")
        self._trackers: dict[str, Tracker] = {}
        for name, where in wanted.items():
            module = import_module(f"nas.searching.trackers.{name}")
            with self._forgiven(name):
                self._trackers[name] = module.tracker(where, study.name)

    def hear(self, event: Event) -> None:
        self._listener(event)
        if isinstance(event, TrialEnded) or self._study.clock.steady() - self._looked > _PAUSE:
            self.look()

    def look(self) -> None:
        """Let all trackers write what is new."""
        before = self._history
        self._history = history = self._study.history(before) if before is not None else self._study.history()
        self._looked = self._study.clock.steady()
        seen = {} if before is None else {run.id: run for trial in before.trials for run in trial.runs}
        new = [(trial, run) for trial in history.trials for run in trial.runs if seen.get(run.id) != run]
        for name, tracker in list(self._trackers.items()):
            with self._forgiven(name):
                for trial, run in new:
                    tracker.write(trial, run)

    def close(self) -> None:
        for name, tracker in list(self._trackers.items()):
            with self._forgiven(name):
                tracker.close()

    @contextmanager
    def _forgiven(self, name: str) -> Iterator[None]:
        """A tracker that fails is said, and writes no more; the search is not its own."""
        try:
            yield
        except Exception as error:
            self._trackers.pop(name, None)
            self._listener(Note(f"warning: {name} is no longer written: {type(error).__name__}: {error}"))
