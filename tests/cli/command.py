"""Running a command as the user does, in this process."""

import json
import sys
from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest

from nas.cli import main
from nas.cli.schema import schema_names, schema_of


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it wrote."""

    code: int
    out: str
    err: str
    arguments: tuple[str, ...] = ()

    @property
    def json(self) -> Any:
        """The one object on standard output, held to the schema of the command."""
        document = json.loads(self.out)
        words = [" ".join(self.arguments[:count]) for count in (2, 1)]
        name = next((name for name in words if name in schema_names()), None)
        if name is not None:
            jsonschema.validate(document, schema_of(name))
        return document


class Command:
    """`nas ARGUMENTS`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ended:
        self._monkeypatch.setattr(sys, "argv", ["nas", *arguments])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        written = self._capsys.readouterr()
        return Ended(int(ended.value.code or 0), written.out, written.err, arguments)
