"""Libraries that only some files need, and that are installed by an extra of nas."""

from importlib import import_module
from pathlib import Path
from typing import Any

from nas.errors import InputError


def needed(library: str, extra: str, path: Path) -> Any:
    """The library, for the sake of a file; InputError that names the extra where it is not installed."""
    try:
        return import_module(library)
    except ImportError as error:
        raise InputError(f"{path}: needs {library}; install it: pip install 'nas[{extra}]'") from error
