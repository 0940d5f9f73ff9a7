"""`dataset.json`, which several layouts share: its fields, read with errors that name them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from nas.data.json_files import read_json, shortened
from nas.data.labels import Labels, labels_of
from nas.data.names import is_printable
from nas.errors import InputError

FILE = "dataset.json"

Field = TypeVar("Field")


@dataclass(frozen=True)
class Description:
    """The content of a dataset.json, and where it stands."""

    path: Path
    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The data set's name: the field `name`, or else the folder's."""
        name = self.content.get("name")
        return name if isinstance(name, str) and name else self.path.absolute().parent.name

    def error(self, field: str, value: str, expected: str) -> InputError:
        """The error that a field's content deserves."""
        return InputError(f"{self.path}: field '{field}': found {value}; expected {expected}")

    def field(self, name: str, kind: type[Field], expected: str) -> Field:
        """A field of the given type, neither missing nor empty."""
        if name not in self.content:
            raise self.error(name, "nothing", expected)
        value = self.content[name]
        if not isinstance(value, kind) or not value:
            raise self.error(name, shortened(value), expected)
        return value

    def numbered_names(self, name: str) -> tuple[str, ...]:
        """A field like {"0": "T1", "1": "T2"}, as ("T1", "T2")."""
        expected = 'names numbered from 0, as in {"0": "T1", "1": "T2"}'
        value: dict[str, Any] = self.field(name, dict, expected)
        numbers = [str(number) for number in range(len(value))]
        if set(value) != set(numbers) or not all(_is_name(entry) for entry in value.values()):
            raise self.error(name, shortened(value), expected)
        return tuple(value[number] for number in numbers)

    @property
    def labels(self) -> Labels:
        """The field `labels`, whichever way round: {"organ": 1} as nnU-Net, or {"1": "organ"} as the Decathlon."""
        declared: dict[str, Any] = self.field("labels", dict, 'values and classes, as in {"background": 0, "organ": 1}')
        pairs: Iterable[tuple[Any, Any]] = declared.items()
        if any(isinstance(name, str) for name in declared.values()):
            pairs = [(name, int(value) if value.isdecimal() else value) for value, name in declared.items()]
        return labels_of(pairs, lambda found, expected: self.error("labels", found, expected))


def read_description(folder: Path) -> Description | None:
    """The folder's dataset.json, None where there is none; InputError where it is not a JSON object."""
    path = folder / FILE
    if not path.is_file():
        return None
    content = read_json(path)
    if not isinstance(content, dict):
        raise InputError(f"{path}: found {shortened(content)}; expected an object with the fields of a data set")
    return Description(path, content)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and is_printable(value)
