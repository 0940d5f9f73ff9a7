"""`nas schema`: what the JSON of commands holds, as JSON Schema; one file a command in `schemas/`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from nas.cli.output import OUT, print_json
from nas.errors import InputError, did_you_mean

FOLDER = Path(__file__).parent / "schemas"


def schema(
    command: Annotated[
        list[str] | None, typer.Argument(help="A command, as: spaces cost.", show_default="all that have one")
    ] = None,
) -> None:
    """The JSON Schema of what a command prints with --json; without a command, which have one.

    [bold]Examples[/bold]

      nas schema

      nas schema status

      nas schema spaces cost
    """
    if not command:
        for name in schema_names():
            OUT.print(name)
        return
    print_json(schema_of(" ".join(command)))


def schema_names() -> tuple[str, ...]:
    """The commands that print JSON, by name."""
    return tuple(sorted(file.stem.replace("-", " ") for file in FOLDER.glob("*.json")))


def schema_of(command: str) -> dict[str, Any]:
    """The schema of a command's JSON.

    Raises:
        InputError: it prints none, or there is no such command.
    """
    if command not in schema_names():
        raise InputError(f"schema: {command!r} prints no JSON; {did_you_mean(command, schema_names())}")
    document: dict[str, Any] = json.loads((FOLDER / f"{command.replace(' ', '-')}.json").read_text(encoding="utf-8"))
    return document
