"""Neural architecture search for medical image segmentation.

The public face: `load_space`, `Task`, `trace`, `build`, `search`, `open_study`. Everything heavy is imported when
it is first used, so that describing and costing networks needs no torch.
"""

from typing import TYPE_CHECKING, Any

from nas.errors import InputError
from nas.graph import Graph, Task, trace

if TYPE_CHECKING:
    from nas.catalog import load_space
    from nas.network import Network, build
    from nas.searching import Progress, SearchSettings, open_study, search

__version__ = "0.1.0"

__all__ = [
    "Graph",
    "InputError",
    "Network",
    "Progress",
    "SearchSettings",
    "Task",
    "build",
    "load_space",
    "open_study",
    "search",
    "trace",
]

_HOMES = {
    "Network": "nas.network",
    "Progress": "nas.searching",
    "SearchSettings": "nas.searching",
    "build": "nas.network",
    "load_space": "nas.catalog",
    "open_study": "nas.searching",
    "search": "nas.searching",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nas' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
