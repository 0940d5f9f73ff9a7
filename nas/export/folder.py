"""The exported folder: model.py, weights.safetensors and architecture.json."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from nas.errors import InputError
from nas.export.source import source
from nas.graph import Graph

FORMAT = 1
_FILES = ("model.py", "weights.safetensors", "architecture.json")


def write(
    folder: Path,
    graph: Graph,
    state: Mapping[str, Tensor],
    document: Mapping[str, Any],
    *,
    facts: Mapping[str, Any] | None = None,
) -> tuple[Path, ...]:
    """Write a network so that torch alone can run it; all three files, or none.

    Args:
        folder: new or empty, or an earlier export, which is replaced.
        graph: the network.
        state: its state dict.
        document: its architecture as JSON.
        facts: what else `architecture.json` is to say.

    Returns:
        The files.

    Raises:
        InputError: the folder holds something else or cannot be written, or the network holds a user's own module.
    """
    from safetensors.torch import save_file

    if folder.exists() and not _replaceable(folder):
        raise InputError(f"--to: {folder} exists and is no earlier export; give a new or an empty folder")
    text = source(graph)
    description = {
        "format": FORMAT,
        "architecture": document,
        "digest": graph.digest,
        "parameters": graph.parameters,
        "macs": graph.macs,
        **(facts or {}),
        "graph": graph.to_json(),
    }
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            made = Path(scratch) / "export"
            made.mkdir()
            (made / "model.py").write_text(text, encoding="utf-8")
            save_file({name: tensor.contiguous() for name, tensor in state.items()}, made / "weights.safetensors")
            (made / "architecture.json").write_text(json.dumps(description, indent=1), encoding="utf-8")
            if folder.exists():
                shutil.rmtree(folder)
            made.rename(folder)
    except OSError as error:
        raise InputError(f"--to: {folder} cannot be written: {error.strerror}; give another folder") from error
    return tuple(folder / name for name in _FILES)


def _replaceable(folder: Path) -> bool:
    """Whether a folder is empty or holds an earlier export and nothing besides."""
    return folder.is_dir() and {file.name for file in folder.iterdir()} <= {*_FILES, "__pycache__"}
