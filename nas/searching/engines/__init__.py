"""Where workers are started: an engine is one module with a `start(study, settings, listener)`."""

from importlib import import_module

from nas.searching.events import Listener
from nas.searching.settings import SearchSettings
from nas.study.sql.study import SqlStudy


def start_workers(study: SqlStudy, settings: SearchSettings, listener: Listener) -> None:
    """Start workers by the engine that the settings name, and show what they do until they have ended.

    Raises:
        InputError: the engine is not installed, or its workers cannot go on.
        KeyboardInterrupt: stopped; the workers have given their trials back.
    """
    import_module(f"nas.searching.engines.{settings.engine}").start(study, settings, listener)
