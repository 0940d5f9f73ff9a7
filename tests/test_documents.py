"""What the documents show works: their Python runs, their commands exist with the options they are given."""

import random
import re
import shlex
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import torch
import typer

from nas.architecture import slim
from nas.catalog import load_space, task_of
from nas.cli.app import app
from nas.export import source
from nas.graph import Task, trace
from nas.network import build
from nas.searching import SearchSettings
from nas.training import Augmentation, Recipe
from nas.training.documents import kinds_of, written
from nas.training.losses import Loss
from nas.training.optimisers import Optimiser
from nas.training.schedules import Schedule
from tests.export.exported import network_of

ROOT = Path(__file__).parent.parent
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "AGENTS.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
IDS = [str(document.relative_to(ROOT)) for document in DOCUMENTS]


def python_of(document: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands_of(text: str) -> list[str]:
    """The `nas` commands in indented blocks, their comments and redirections taken off."""
    lines = re.findall(r"^\s+(?:\.venv/bin/)?(nas .*)$", text.replace("\\\n", " "), re.MULTILINE)
    return [re.split(r"\s+(?:#|>|\()", line)[0] for line in lines]


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if python_of(d)], ids=lambda d: d.name)
def test_the_python_runs(document: Path, tmp_path: Path) -> None:
    named = [re.match(r"# (\w+\.py)\n", block) for block in python_of(document)]
    for found, block in zip(named, python_of(document), strict=True):
        (tmp_path / (found[1] if found else "example.py")).write_text(block, encoding="utf-8")
        if not found:
            subprocess.run([sys.executable, "example.py"], cwd=tmp_path, check=True, capture_output=True)


GUIDE = ROOT / "docs" / "own_block.md"


def write_spaces(folder: Path) -> list[Path]:
    """The spaces that the guide shows, as files."""
    files = []
    for block in python_of(GUIDE):
        if named := re.match(r"# (\w+\.py)\n", block):
            files.append(folder / named[1])
            files[-1].write_text(block, encoding="utf-8")
    return files


@pytest.mark.parametrize("axes", [2, 3])
def test_the_parts_of_the_guide_stand_in_networks_that_run_and_are_written_as_source(tmp_path: Path, axes: int) -> None:
    task = Task(axes, 1, 2, (32,) * axes, ((1, *(2,) * (axes - 1)), *((2,) * axes,) * 4))
    for file in write_spaces(tmp_path):
        space = load_space(file)
        for seed in range(3):
            graph = trace(slim(space.decide(random.Random(seed)), 4), task)
            scores = build(graph).eval()(torch.zeros(1, 1, *task.patch))
            assert scores.shape == (1, 2, *task.patch)
            if not any(type(node.operation).__name__ == "Foreign" for node in graph.nodes):
                assert network_of(source(graph)).eval()(torch.zeros(1, 1, *task.patch)).shape == scores.shape


def test_the_published_members_of_the_guide_are_exact(tmp_path: Path) -> None:
    members = [member for file in write_spaces(tmp_path) for member in load_space(file).members]
    assert members
    for member in members:
        assert trace(member.architecture, task_of(member)).parameters == member.parameters


def test_the_space_of_the_documents_can_be_shown_costed_and_sampled(tmp_path: Path) -> None:
    document = GUIDE.read_text(encoding="utf-8")
    write_spaces(tmp_path)
    commands = [command for command in commands_of(document) if command.startswith("nas spaces")]
    assert commands
    for command in commands:
        program = "from nas.cli import main; main()"
        run = [sys.executable, "-c", program, *shlex.split(command)[1:]]
        ended = subprocess.run(run, cwd=tmp_path, check=False, capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr


COMMANDS = [(d, command) for d in DOCUMENTS for command in commands_of(d.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("document", "command"), COMMANDS, ids=[f"{d.name}: {c}" for d, c in COMMANDS])
def test_the_commands_exist(document: Path, command: str) -> None:
    parse(shlex.split(command)[1:])


def parse(words: list[str]) -> None:
    """Resolve a command and read its options, without running it; click refuses what does not exist."""
    found: Any = typer.main.get_command(app)
    context = found.context_class(found)
    while hasattr(found, "resolve_command"):
        _, found, words = found.resolve_command(context, words)
    found.make_context(found.name, list(words))


def every_command(group: Any, path: str = "nas") -> list[tuple[str, Any]]:
    if not hasattr(group, "commands"):
        return [(path, group)]
    return [leaf for name, item in group.commands.items() for leaf in every_command(item, f"{path} {name}")]


EVERY_COMMAND = every_command(typer.main.get_command(app))


@pytest.mark.parametrize(("name", "command"), EVERY_COMMAND, ids=[name for name, _ in EVERY_COMMAND])
def test_every_command_s_help_has_an_example_that_parses_and_a_text_for_every_option(name: str, command: Any) -> None:
    examples = commands_of(command.help or "")
    assert any(example.startswith(name) for example in examples)
    for example in examples:
        parse(shlex.split(example)[1:])
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    assert all(getattr(parameter, "help", None) for parameter in shown if parameter.name != "help")


def test_the_defaults_of_nas_search_are_those_of_its_settings() -> None:
    """An option that a recipe may set instead says what its default is in words, and has none of its own."""
    options = {parameter.name: parameter for parameter in dict(EVERY_COMMAND)["nas search"].params}
    for field in fields(SearchSettings):
        option = options[field.name]
        told = option.show_default if option.default is None and field.default is not None else option.default
        assert told == (str(field.default) if isinstance(told, str) else field.default), field.name


def rows_of(document: Path) -> dict[str, str]:
    """What the tables of a document say beside each name in their first column."""
    lines = re.findall(r"^\| (`.*?`) \| (.*?) ?\|", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: beside for names, beside in lines for name in re.findall(r"`(\w+)`", names)}


@pytest.mark.parametrize("part", [Recipe, Augmentation])
def test_every_field_of_a_recipe_is_documented_with_its_default(part: type) -> None:
    rows = rows_of(ROOT / "docs" / "training.md")
    for name, default in written(part()).items():
        if isinstance(default, dict):  # a part: its name, or a table of its own
            assert rows[name] == ("see below" if name == "augmentation" else f"`{default['kind']}`")
        elif name != "kind":
            told = str(default).lower() if default is None or isinstance(default, bool) else str(default)
            assert rows[name] == told, name


@pytest.mark.parametrize("kind", [Loss, Optimiser, Schedule])
def test_every_part_of_a_recipe_is_documented_with_its_fields(kind: type) -> None:
    document = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    for part in kinds_of(kind).values():
        fields_of = written(part())
        name = fields_of.pop("kind")
        told = ", ".join(f"`{field}` {str(value).lower()}" for field, value in fields_of.items())
        assert f"| {kind.__name__.lower()} `{name}` | {told}" in document
