"""Finds search spaces, and what else is shipped, by name; a user's own by file, a plugin's by entry point."""

import importlib.util
import json
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from nas.architecture import EncoderDecoder
from nas.errors import InputError, did_you_mean, field_named
from nas.graph import Task, trace
from nas.space import Reference, Space

ENTRY_POINTS = "nas.spaces"
"""The entry point group in which an installed package offers spaces: name = "module:SPACE"."""


def space_names() -> tuple[str, ...]:
    """The names of all shipped spaces and of those that installed packages offer."""
    return tuple(sorted(_shipped() | _plugins().keys()))


def load_space(name: str | Path) -> Space[EncoderDecoder]:
    """The space of a name, of a Python file that defines `SPACE`, or of one network's JSON file.

    Only what the user names is ever executed: a shipped space, an installed plugin, or the given Python file.

    Raises:
        InputError: no space of that name (with the nearest one), or a file that is absent, raises, or lacks `SPACE`.
    """
    text = str(name)
    if text.endswith(".json"):
        return _of_one(Path(name))
    if is_file(text, ".py"):
        return _from_file(Path(name))
    if text in _shipped():
        return _from_file(shipped_folder("search_spaces") / f"{text}.py")
    if text in _plugins():
        return _checked(_loaded(_plugins()[text]), f"entry point {text!r}")
    raise unknown("space", text, space_names(), ".py")


def load_member(space: Space[EncoderDecoder], document: Mapping[str, Any]) -> EncoderDecoder:
    """The architecture of a member's JSON document, or of an exported `architecture.json` that holds one."""
    inner = document.get("architecture") if isinstance(document, Mapping) else None
    return space.load(inner if isinstance(inner, Mapping) else document)


def read_member(file: Path) -> Mapping[str, Any]:
    """The content of a member's JSON file.

    Raises:
        InputError: it cannot be read, or is no object.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}; give a member's JSON file") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InputError(f"{file}: found a {type(document).__name__}, expected an object")
    return document


def task_in(document: Mapping[str, Any]) -> Task | None:
    """The task that a member's document was made for, None where it says none.

    Raises:
        InputError: what stands there is none.
    """
    if document.get("task") is None:
        return None
    try:
        return Task.from_json(document["task"])
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"task: cannot be read ({error!r}); take it out, or import the network again") from None


def published(space: Space[EncoderDecoder], name: str) -> EncoderDecoder:
    """The published network of a name.

    Raises:
        InputError: the space has no such member.
    """
    if name not in space.references:
        raise InputError(
            f"{field_named('reference')}: space {space.name!r} has no {name!r}; {did_you_mean(name, space.references)}"
        )
    return space.references[name]


def task_of(member: Reference[EncoderDecoder]) -> Task:
    """The task for which a published network has its published number of parameters."""
    return Task(member.axes, member.channels, member.classes, strides=member.strides, kernels=member.kernels)


def is_file(name: str, ending: str) -> bool:
    """Whether a name means a file of the user's rather than something shipped."""
    return name.endswith(ending) or "/" in name or "\\" in name


def shipped_folder(name: str) -> Path:
    """Where shipped files of a kind lie: in the wheel inside the package, in a checkout beside it."""
    inside = Path(__file__).parent / name
    return inside if inside.is_dir() else Path(__file__).parent.parent / name


def unknown(what: str, name: str, known: Sequence[str], ending: str) -> InputError:
    """The error for the name of something shipped that is not there."""
    return InputError(
        f"{what} {name!r} is unknown; {did_you_mean(name, known)}; one of yours is given as ./mine{ending}"
    )


def _shipped() -> set[str]:
    return {file.stem for file in shipped_folder("search_spaces").glob("*.py") if not file.stem.startswith("_")}


def _plugins() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINTS)}


def _from_file(file: Path) -> Space[EncoderDecoder]:
    if not file.is_file():
        raise InputError(f"space file {file}: not found; give the path of a Python file that defines SPACE")
    name = f"nas_space_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"space file {file}: not a Python file; expected one that defines SPACE")
    module = importlib.util.module_from_spec(spec)
    # Registered, so that a user's own torch module in the same file can be found again by its name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except InputError as error:
        raise InputError(f"space file {file}: {error}") from error
    except Exception as error:
        raise InputError(f"space file {file}: {_raised(error)}; mend the file") from error
    if not hasattr(module, "SPACE"):
        raise InputError(f"space file {file}: defines no SPACE; expected SPACE = nas.space.Space(...)")
    return _checked(module.SPACE, f"space file {file}")


def _of_one(file: Path) -> Space[EncoderDecoder]:
    """A space of one network, which is a member of unet_family."""
    document = read_member(file)
    architecture = load_member(load_space("unet_family"), document)
    task = task_in(document) or Task(2, 1, 2)
    parameters = trace(architecture, task).parameters
    facts = (task.axes, task.channels, task.classes)
    name, source = str(document.get("name") or file.stem), str(document.get("source") or file.name)
    member = Reference(name, architecture, parameters, *facts, source, strides=task.strides, kernels=task.kernels)
    return Space(file.stem, architecture, (member,), f"The one network of {file.name}.")


def _loaded(plugin: EntryPoint) -> object:
    try:
        return plugin.load()
    except Exception as error:
        raise InputError(
            f"entry point {plugin.name!r} ({plugin.value}): {_raised(error)}; mend or uninstall its package"
        ) from error


def _raised(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"raised {type(error).__name__}: {error} ({last.filename}, line {last.lineno})"


def _checked(space: object, where: str) -> Space[EncoderDecoder]:
    if not isinstance(space, Space):
        raise InputError(f"{where}: SPACE is a {type(space).__name__}, expected a nas.space.Space")
    return space
