"""What commands print as JSON is what their schemas say; every command that prints JSON has one."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import typer
from PIL import Image

from nas.cli.app import app
from nas.cli.schema import FOLDER, schema_names, schema_of
from tests.cli.command import Command
from tests.data.factories import pairs
from tests.test_documents import every_command

SHORT = ("--data", "pictures", "--patch", "16,16", "--steps", "2", "--budget", "1h", "--device", "cpu")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printing_json() -> set[str]:
    commands = every_command(typer.main.get_command(app))
    options = {name: {option for p in command.params for option in p.opts} for name, command in commands}
    return {name.removeprefix("nas ") for name, given in options.items() if given & {"--json", "--format"}}


def test_every_command_that_prints_json_has_a_schema() -> None:
    missing = sorted(printing_json() - set(schema_names()))
    assert not missing, f"describe what they print in nas/cli/schemas/: {missing}"
    assert sorted(set(schema_names()) - printing_json()) == []


@pytest.mark.parametrize("name", schema_names())
def test_a_schema_is_one_and_says_what_fields_mean(nas: Command, name: str) -> None:
    printed = json.loads(nas("schema", *name.split()).out)
    assert printed == schema_of(name)
    jsonschema.Draft202012Validator.check_schema(printed)
    assert printed["title"].startswith(f"nas {name} --")
    assert printed["description"]
    assert list(described(printed))


def described(schema: Any) -> Any:
    """All fields that a schema has a description of, or whose own fields are described."""
    if isinstance(schema, dict):
        for name, field in schema.get("properties", {}).items():
            if "description" in field:
                yield name
        for part in schema.values():
            yield from described(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from described(part)


def test_without_a_command_all_are_listed(nas: Command) -> None:
    assert nas("schema").out.splitlines() == list(schema_names())
    assert {file.suffix for file in FOLDER.iterdir()} == {".json"}


@pytest.mark.parametrize("words", [("spaces",), ("predicct",), ("..", "..", "app"), ("worker",)])
def test_a_command_without_json_is_refused(nas: Command, words: tuple[str, ...]) -> None:
    ended = nas("schema", *words)
    assert ended.code == 2
    assert "prints no JSON" in ended.err


SPACES = [
    "spaces list",
    "spaces show tiny",
    "spaces show unet_family",
    "spaces sample unet_family --seed 3",
    "spaces sample tiny",
    "spaces cost unet_family --seed 2",
    "spaces cost tiny --axes 3 --patch 32,32,32",
]


@pytest.mark.parametrize("command", SPACES)
def test_spaces_are_told_as_their_schemas_say(nas: Command, command: str) -> None:
    assert nas(*command.split(), "--json").json


def test_every_step_from_data_to_segmentations_is_told_as_its_schema_says(nas: Command, folder: Path) -> None:
    """What is printed is validated as it is read (`Ended.json`)."""
    pairs(folder / "pictures")
    assert nas("data", "check", "pictures", "--json").json["cases"] == 3
    assert nas("data", "prepare", "pictures", "--json").json["cases"] == 3
    found = nas("search", "--space", "tiny", "--trials", "2", "--study", "s", *SHORT, "--json").json
    assert found["best"]["dice"] >= 0
    assert nas("status", "s", "--json").json["complete"] == 2
    assert len(nas("status", "--json").json["studies"]) == len(nas("studies", "list", "--json").json["studies"]) == 1
    assert nas("best", "--json").json["best"] == found["best"]
    assert nas("best", "--front", "--json").json["front"]
    assert len(nas("trials", "--format", "json").json["trials"]) == 2
    assert nas("studies", "check", "--json").json["faults"] == []
    assert nas("export", "--as", "model", "--to", "model", "--json").json["forms"]
    pixels = np.random.default_rng(0).integers(0, 255, (24, 20), np.uint8)
    for name in ("images", "labels"):
        Path(name).mkdir()
        Image.fromarray(pixels if name == "images" else (pixels > 99).astype(np.uint8)).save(f"{name}/a.png")
    assert nas("predict", "model", "--images", "images", "--to", "predictions", "--json").json["segmented"] == 1
    assert nas("evaluate", "predictions", "--labels", "labels", "--json").json["scored"] == 1


def test_a_schema_refuses_what_lacks_a_field() -> None:
    document = {"spaces": [{"name": "a", "size": 3, "references": [], "description": "b"}]}
    jsonschema.validate(document, schema_of("spaces list"))
    for field in ("name", "size", "references", "description"):
        lacking = {"spaces": [{key: value for key, value in document["spaces"][0].items() if key != field}]}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(lacking, schema_of("spaces list"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"spaces": [document["spaces"][0] | {"more": 1}]}, schema_of("spaces list"))
