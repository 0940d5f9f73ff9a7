"""Recipes and their parts read from plain documents (JSON, TOML), open choices included. Nothing is executed."""

import pkgutil
import sys
from collections.abc import Mapping
from dataclasses import is_dataclass
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_type_hints

from nas.errors import InputError, did_you_mean
from nas.space import integer, kind, one_of, real
from nas.space.choices import Integer, OneOf, Real
from nas.space.walk import field_names

T = TypeVar("T")

_RANGE = {"low", "high", "log"}
NONE = "none"
"""What stands for nothing in TOML, which has no word for it."""


def read_part(part: type[T], document: Any, path: str) -> T:
    """A frozen dataclass from a document of its fields; those left out have their defaults.

    A field that holds a number, a string or true or false is written as such; one that holds a part as a table whose
    `kind` names it, or as that name alone; one that may hold nothing as "none". In place of any value may stand an
    open choice: `{low = .., high = ..}` (with `log = true` for magnitudes), or `{one_of = [...]}`.

    Args:
        part: the class; where it has several kinds, the document's `kind` says which.
        document: the fields.
        path: what to call it in messages.

    Raises:
        InputError: an unknown field (with the nearest one) or kind, or a value that does not fit.
    """
    if isinstance(document, str):
        document = {"kind": document}
    if not isinstance(document, Mapping):
        raise InputError(f"{path}: found {document!r}, expected a table of the fields of {kind_name(part)}")
    chosen = _class_of(part, document, path)
    names = field_names(cast(type, chosen))
    unknown = [name for name in document if name not in (*names, "kind")]
    if unknown:
        raise InputError(f"{path}: field {unknown[0]!r} is unknown; {did_you_mean(unknown[0], names)}")
    hints = get_type_hints(chosen)
    values = {name: _value(hints[name], document[name], f"{path} {name}") for name in names if name in document}
    return chosen(**values)


def written(value: Any) -> Any:
    """A part as a document that `read_part` reads, open choices as a person writes them."""
    if isinstance(value, OneOf):
        return {"one_of": [written(option) for option in value.options]}
    if isinstance(value, Integer | Real):
        return {"low": value.low, "high": value.high, **({"log": True} if value.log else {})}
    if is_dataclass(value):
        return {"kind": kind(value)} | {name: written(getattr(value, name)) for name in field_names(type(value))}
    return value


def kind_name(part: type) -> str:
    """The kind of a part by its class."""
    return kind(object.__new__(part))


def kinds_of(part: type[T]) -> dict[str, type[T]]:
    """The classes that a part may be of, by their kind: found in its module, or in the files of its package."""
    home = sys.modules[part.__module__]
    files = pkgutil.iter_modules(getattr(home, "__path__", ()), f"{home.__name__}.")
    modules = [home, *(import_module(file.name) for file in files)]
    classes = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, part) and value.__module__ == module.__name__
    ]
    kinds = [value for value in classes if value is not part] or [part]
    return {kind_name(value): value for value in kinds}


def _class_of(part: type[T], document: Mapping[str, Any], path: str) -> type[T]:
    kinds = kinds_of(part)
    named = document.get("kind")
    if named is None and len(kinds) == 1:
        return next(iter(kinds.values()))
    if not isinstance(named, str) or named not in kinds:
        raise InputError(f"{path}: kind {named!r} is unknown; {did_you_mean(str(named), kinds)}")
    return kinds[named]


def _value(wanted: Any, document: Any, path: str) -> Any:
    """A field's value, decided or open; whether it is of the type and size wanted is checked by its part."""
    if isinstance(document, Mapping) and "one_of" in document:
        return _options(wanted, document, path)
    if isinstance(wanted, UnionType) and NoneType in get_args(wanted):
        if document == NONE:
            return None
        (wanted,) = (option for option in get_args(wanted) if option is not NoneType)
    if isinstance(document, Mapping) and wanted in (int, float):
        return _range(wanted, document, path)
    return read_part(cast(Any, wanted), document, path) if is_dataclass(wanted) else document


def _options(wanted: Any, document: Mapping[str, Any], path: str) -> Any:
    options = document["one_of"]
    if len(document) > 1 or not isinstance(options, list | tuple) or not options:
        raise InputError(f"{path}: found {dict(document)}, expected one_of with a list of options and nothing else")
    try:
        return one_of(*[_value(wanted, option, path) for option in options])
    except TypeError as error:
        raise InputError(f"{path}: {error}; change the options") from None


def _range(wanted: Any, document: Mapping[str, Any], path: str) -> Any:
    low, high, log = document.get("low"), document.get("high"), document.get("log", False)
    kinds = int if wanted is int else int | float
    if set(document) - _RANGE or not isinstance(log, bool) or not all(isinstance(end, kinds) for end in (low, high)):
        what = "whole numbers" if wanted is int else "numbers"
        raise InputError(
            f"{path}: found {dict(document)}, expected {what} low and high, with log = true if magnitudes count, "
            "or one_of with a list"
        )
    try:
        return (integer if wanted is int else real)(cast(Any, low), cast(Any, high), log=log)
    except TypeError as error:
        raise InputError(f"{path}: {error}; change low or high") from None
