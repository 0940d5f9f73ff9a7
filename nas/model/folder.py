"""A trained model on disk: weights as safetensors, all else in model.json. Nothing is executed or unpickled."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save

from nas.data import Preprocessing, Region
from nas.errors import InputError
from nas.graph import Graph
from nas.model.trained import State, TrainedModel
from nas.network import StepPlan
from nas.training import Recipe, Slicing, Window

FORMAT = "nas model"
VERSION = 2
"""Goes up whenever a folder is written in a way that earlier versions of nas cannot read: 2 are different networks."""
DESCRIPTION = "model.json"
CARD = "MODEL_CARD.md"
MARK = ".nas"
"""Of what is written as a whole folder: says what it is, so that it may be replaced."""


def save_model(model: TrainedModel, folder: Path) -> tuple[Path, ...]:
    """Write a model's folder: all of it, or nothing.

    Args:
        model: what to write.
        folder: a new or an empty one, or an earlier model's, which is replaced.

    Returns:
        The files.

    Raises:
        InputError: the folder holds something else, or cannot be written.
    """
    from nas.model.card import card

    weights = {f"weights_{number}.safetensors": _bytes(state) for number, state in enumerate(model.states)}
    text = json.dumps(to_json(model, weights), indent=1)
    files = {DESCRIPTION: text.encode(), CARD: card(model).encode(), **weights}
    try:
        with tempfile.TemporaryDirectory() as scratch:
            for name, content in files.items():
                (Path(scratch) / name).write_bytes(content)
            return replace_folder(Path(scratch), Path(folder), FORMAT)
    except OSError as error:
        raise InputError(
            f"{folder}: cannot be written ({error.strerror or error}); free space or name another"
        ) from None


def load_model(folder: str | Path) -> TrainedModel:
    """The model in a folder that `save_model` wrote.

    Raises:
        InputError: there is none, or a file of it is missing, was changed, or is of a later version.
    """
    folder = Path(folder)
    document = _description(folder)
    try:
        states = tuple(_state(folder, entry) for entry in document["weights"])
        slicing = document["slicing"]
        return TrainedModel(
            graph=Graph.from_json(document["graph"]),
            states=states,
            preprocessing=Preprocessing.from_json(document["preprocessing"]),
            channels=tuple(document["channels"]),
            classes=tuple(document["classes"]),
            recipe=Recipe.from_json(document["recipe"]),
            regions=tuple(Region(entry["name"], tuple(entry["classes"])) for entry in document["regions"]),
            values=tuple(document["values"]),
            slicing=None if slicing is None else Slicing(**slicing),
            window=None if document.get("window") is None else Window.from_json(document["window"]),
            plan=StepPlan.from_json(document["plan"]),
            provenance=document["provenance"],
            graphs=tuple(Graph.from_json(graph) for graph in document.get("graphs", ())),
        )
    except InputError as error:
        raise InputError(f"{folder}: {error}") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{folder / DESCRIPTION}: {type(error).__name__} {error}; expected the fields that nas writes, so write "
            "the model again"
        ) from None


def to_json(model: TrainedModel, weights: Mapping[str, bytes]) -> dict[str, Any]:
    """All of a model but the weights, of which it names the files and their checksums."""
    return {
        "format": FORMAT,
        "version": VERSION if model.graphs else 1,
        "channels": list(model.channels),
        "classes": list(model.classes),
        "values": list(model.values),
        "regions": [asdict(region) for region in model.regions],
        "slicing": None if model.slicing is None else asdict(model.slicing),
        "window": None if model.window is None else model.window.to_json(),
        "preprocessing": model.preprocessing.to_json(),
        "recipe": model.recipe.to_json(),
        "plan": model.plan.to_json(),
        "provenance": dict(model.provenance),
        "weights": [
            {"file": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in weights.items()
        ],
        "graph": model.graph.to_json(),
        **({"graphs": [graph.to_json() for graph in model.graphs]} if model.graphs else {}),
    }


def replace_folder(written: Path, folder: Path, kind: str) -> tuple[Path, ...]:
    """Put the files of one folder in the place of another, all of them or none.

    Args:
        written: the files.
        folder: a new or an empty one, or one that an earlier call made of this kind, whose files are replaced.
        kind: what is in it; kept in a hidden file, by which the folder is known again.

    Returns:
        The files in their place.

    Raises:
        InputError: the folder holds something else.
        OSError: it cannot be written.
    """
    folder = folder.resolve()
    refuse_others(folder, kind)
    names = [path.relative_to(written) for path in sorted(written.rglob("*")) if path.is_file()]
    (written / MARK).write_text(kind, encoding="utf-8")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Inside a folder that exists, as it may be a mount or somebody's working directory.
    scratch = (folder if folder.exists() else folder.parent) / f".{folder.name}.{os.getpid()}.partial"
    try:
        for name in [*names, Path(MARK)]:  # one by one: copytree hides which error it was
            (scratch / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(written / name, scratch / name)
        if not folder.exists():
            scratch.rename(folder)
        for name in [*names, Path(MARK)] if scratch.exists() else []:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (scratch / name).replace(folder / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return tuple(folder / name for name in names)


def refuse_others(folder: Path, kind: str) -> None:
    """Do not mix what is written with what is something else's.

    Raises:
        InputError: the folder holds something else than an earlier writing of this kind.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    mark = folder / MARK
    if not mark.is_file() or mark.read_text(encoding="utf-8").strip() != kind:
        raise InputError(f"{folder}: exists and is no earlier {kind}; name a new or an empty folder")


def _description(folder: Path) -> dict[str, Any]:
    path = folder / DESCRIPTION
    if not path.is_file():
        where = "no such folder" if not folder.exists() else f"no {DESCRIPTION} in it"
        raise InputError(f"{folder}: {where}; expected the folder of a trained model")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); copy it or write the model again") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"{path}: is no description of a trained model; expected format {FORMAT!r}")
    if document.get("version") not in range(1, VERSION + 1):
        raise InputError(f"{path}: found version {document.get('version')!r}, expected {VERSION}; use a newer nas")
    return document


def _bytes(state: State) -> bytes:
    return save({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()})


def _state(folder: Path, entry: Mapping[str, Any]) -> State:
    path = folder / Path(entry["file"]).name  # a name, never a path that leads elsewhere
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror}); copy the folder again, whole") from None
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise InputError(
            f"{path.name}: found {len(content)} bytes that are not those written ({entry['bytes']} bytes, by their "
            "SHA-256); copy the folder again, or write the model again"
        )
    try:
        return load(content)
    except SafetensorError as error:
        raise InputError(f"{path.name}: is no file of safetensors ({error}); write the model again") from None
