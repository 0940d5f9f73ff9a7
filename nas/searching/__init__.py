"""Searching a space on a data set, and reading what was found. What is heavy is imported when it is first used."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nas.searching.launch import search
    from nas.searching.notebook import Progress
    from nas.searching.opened import OpenedStudy, TrainedNetwork, open_study
    from nas.searching.settings import SearchSettings

__all__ = ["OpenedStudy", "Progress", "SearchSettings", "TrainedNetwork", "open_study", "search"]

_HOMES = {
    "OpenedStudy": "opened",
    "Progress": "notebook",
    "SearchSettings": "settings",
    "TrainedNetwork": "opened",
    "open_study": "opened",
    "search": "launch",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nas.searching' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"nas.searching.{_HOMES[name]}"), name)
