"""An exported folder: model.py, weights.safetensors and architecture.json."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.errors import InputError
from nas.export.source import source
from nas.graph import Graph

if TYPE_CHECKING:
    from torch import Tensor

FORMAT = "nas export"
VERSION = 1

_MODEL, _WEIGHTS, _ARCHITECTURE = FILES = ("model.py", "weights.safetensors", "architecture.json")


def write(
    folder: Path,
    graph: Graph,
    state: "Mapping[str, Tensor]",
    document: Mapping[str, Any],
    *,
    facts: Mapping[str, Any] | None = None,
) -> tuple[Path, ...]:
    """Write a network so that torch alone can run it: all three files, or none.

    Args:
        folder: a new or empty one, or one of an earlier export, whose three files are replaced.
        graph: the network.
        state: its state dict.
        document: its architecture as JSON.
        facts: what else `architecture.json` is to say; `model.py` is headed by the `reference` in it, if any.

    Returns:
        The files.

    Raises:
        InputError: the folder holds something else or cannot be written, or the network holds a user's own module.
    """
    text = source(graph, title=(facts or {}).get("reference") or "A network for medical image segmentation")
    description = {
        "format": FORMAT,
        "version": VERSION,
        "architecture": document,
        "digest": graph.digest,
        "parameters": graph.parameters,
        "macs": graph.macs,
        "input": ["batch", graph.task.channels, *graph.task.patch],
        **(facts or {}),
        "graph": graph.to_json(),
    }
    folder = folder.resolve()
    try:
        _refuse_others(folder)
        _write(folder, text, state, json.dumps(description, indent=1))
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror or error}); free space or name another"
        ) from None
    return tuple(folder / name for name in FILES)


def _refuse_others(folder: Path) -> None:
    """Do not mix an export with what is something else's."""
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not _is_export(folder))):
        raise InputError(f"{folder}: exists and is no earlier export; name a new or an empty folder")


def _is_export(folder: Path) -> bool:
    try:
        document = json.loads((folder / _ARCHITECTURE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and document.get("format") == FORMAT


def _write(folder: Path, text: str, state: "Mapping[str, Tensor]", description: str) -> None:
    """Write beside the folder, and put in place what is whole."""
    from safetensors.torch import save

    folder.parent.mkdir(parents=True, exist_ok=True)
    # Inside a folder that exists, as it may be a mount or somebody's working directory.
    scratch = (folder if folder.exists() else folder.parent) / f".{folder.name}.{os.getpid()}.partial"
    scratch.mkdir()
    try:
        (scratch / _MODEL).write_text(text, encoding="utf-8")
        (scratch / _WEIGHTS).write_bytes(save({name: tensor.cpu().contiguous() for name, tensor in state.items()}))
        (scratch / _ARCHITECTURE).write_text(description, encoding="utf-8")
        if folder.exists():
            for name in FILES:
                (scratch / name).replace(folder / name)
        else:
            scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
