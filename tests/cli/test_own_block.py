"""A user's block that raises ends a command with exit code 2 and the line to mend, wherever its code is called."""

from pathlib import Path

import pytest

from nas.architecture import slim
from nas.catalog import load_space
from nas.errors import InputError
from nas.graph import Task, trace
from tests.cli.command import Command
from tests.data.factories import pairs

SPACE = """
from dataclasses import dataclass

from nas.architecture import EncoderDecoder, Stage, width_field
from nas.space import Space, one_of


@dataclass(frozen=True)
class Mine:
    inside: int = width_field(64)

    def {method}(self{arguments}):
        if self.inside {wrong}:
            {does}
        {otherwise}


SPACE = Space("mine", EncoderDecoder(encoder=(Stage(Mine(one_of(64, 96))),), width=8))
"""
CALLED = {"method": "__call__", "arguments": ", x, ops, site", "otherwise": "return ops.conv_norm_act(x, site.width)"}
MADE = {"method": "__post_init__", "arguments": "", "otherwise": "pass"}
DIVIDES = "self.inside / 0"
LINE = 14


def written(folder: Path, parts: dict[str, str], wrong: str, does: str = DIVIDES) -> Path:
    file = folder / "mine.py"
    file.write_text(SPACE.format(**parts, wrong=wrong, does=does), encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("parts", "does", "messages"),
    [
        (CALLED, DIVIDES, ["Mine at encoder.0.block raised ZeroDivisionError: division by zero"]),
        (CALLED, 'ops.conv(x, "many")', ["Mine at encoder.0.block raised TypeError"]),
        (MADE, DIVIDES, ["Mine at encoder.0.block", "raised ZeroDivisionError: division by zero"]),
    ],
    ids=["called", "misuses an operation", "made"],
)
@pytest.mark.parametrize("command", ["spaces cost", "search --budget 5s --space"])
def test_the_error_names_file_line_block_and_cause(
    nas: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    parts: dict[str, str],
    does: str,
    messages: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    pairs(tmp_path / "data")
    file = written(tmp_path, parts, "in (64, 96)", does)
    data = ["--data", "data"] if command.startswith("search") else []
    ended = nas(*command.split(), str(file), *data)
    assert ended.code == 2, ended.err
    assert "Traceback" not in ended.err
    for message in [f"{file}, line {LINE}: ", *messages, "mend"]:
        assert message in ended.err


def test_the_cause_can_be_reached(tmp_path: Path) -> None:
    space = load_space(written(tmp_path, CALLED, "in (64, 96)"))
    with pytest.raises(InputError) as raised:
        trace(space.decide(lambda _, choice: 64), Task(2, 1, 2))
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


def test_a_block_that_cannot_be_made_narrower(tmp_path: Path) -> None:
    space = load_space(written(tmp_path, MADE, "== 48"))
    with pytest.raises(InputError, match=r"mine\.py, line 14: Mine raised ZeroDivisionError"):
        slim(space.decide(lambda _, choice: 64), 1)


def test_an_error_of_our_own_keeps_its_traceback() -> None:
    with pytest.raises(AttributeError):
        trace(load_space("unet").references["U-Net"], None)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["== 64", "== 96"])
def test_a_search_that_meets_it_later_ends_likewise_and_keeps_what_was_finished(
    nas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    # Planning looks at narrower members and at one other: one of the two cases is met by a proposal alone.
    monkeypatch.chdir(tmp_path)
    pairs(tmp_path / "data")
    file = written(tmp_path, CALLED, wrong)
    ended = nas("search", "--space", str(file), "--data", "data", "--steps", "2", "--budget", "1h", "--device", "cpu")
    assert ended.code == 2, ended.err
    assert "Mine at encoder.0.block raised ZeroDivisionError" in ended.err
    assert "Traceback" not in ended.err
