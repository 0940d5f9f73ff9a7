"""Where workers are started: an engine is one module with a `start`, which takes what `start_workers` does."""

from importlib import import_module

from nas.searching.events import Listener
from nas.searching.observing import Observer, Observes
from nas.searching.settings import SearchSettings
from nas.study.sql.study import SqlStudy


def start_workers(
    study: SqlStudy,
    settings: SearchSettings,
    listener: Listener,
    observer: Observes | None = None,
    assignment: int | None = None,
) -> None:
    """Start workers by the engine that the settings name, and show what they do until they have ended.

    Args:
        study: what they work on.
        settings: how many, where, by which engine.
        listener: hears what happens.
        observer: tells it what workers do; by default which trials of the search have ended.
        assignment: its number, where they are to work for one and not for the search.

    Raises:
        InputError: the engine is not installed, or its workers cannot go on.
        KeyboardInterrupt: stopped; the workers have given their trials back.
    """
    observer = observer or Observer(study, settings.wanted, listener)
    import_module(f"nas.searching.engines.{settings.engine}").start(study, settings, listener, observer, assignment)
