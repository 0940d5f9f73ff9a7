"""nas tabulate, nas table and nas replay at the command line."""

import csv
import json
from pathlib import Path

import pytest

from nas.searching.tables.table import first_line, line_of
from tests.cli.command import Command
from tests.searching.tables.synthetic import synthetic


@pytest.fixture
def file(tmp_path: Path) -> str:
    table = synthetic(share=0.2)
    (tmp_path / "mine.jsonl").write_text(first_line(table.making) + "".join(map(line_of, table.rows)))
    return str(tmp_path / "mine.jsonl")


def test_a_replay_is_shown_and_written(file: str, tmp_path: Path, nas: Command) -> None:
    arguments = ("replay", file, "--strategy", "whole:random", "--seeds", "3", "--budgets", "2,4")
    shown = nas(*arguments, "--to", str(tmp_path / "all.csv"))
    assert shown.code == 0
    assert "mine: partial, 134 of 672 members" in shown.out
    assert "whole:random" in shown.out
    rows = list(csv.DictReader((tmp_path / "all.csv").read_text().splitlines()))
    assert [row["trainings"] for row in rows] == ["2", "4"]
    found = nas(*arguments, "--to", str(tmp_path / "all.json"), "--json").json
    assert found == json.loads((tmp_path / "all.json").read_text())
    assert [str(row["median"]) for row in found["regret"]] == [row["median"] for row in rows]
    assert [one["strategy"] for one in found["near"]] == ["whole:random"]


def test_parts_are_switched_off_and_drawn_in_one_command(file: str, tmp_path: Path, nas: Command) -> None:
    files = ("--runs", str(tmp_path / "runs.jsonl"), "--figure", str(tmp_path / "regret.svg"))
    arguments = ("replay", file, "--parts", "halving:random", "--seeds", "2", "--budgets", "4", *files)
    shown = nas(*arguments)
    assert shown.code == 0
    words = " ".join(shown.out.split())
    assert "what each part of halving:random is worth" in words
    assert "published networks first" in words
    assert (tmp_path / "regret.svg").read_text().startswith("<svg")
    again = nas(*arguments, "--json").json
    assert [one["part"] for one in again["parts"]] == ["rungs", "published networks first"]


def test_fronts_are_compared_by_their_volume(file: str, nas: Command) -> None:
    arguments = ("--objective", "dice,parameters", "--seeds", "1", "--budgets", "3", "--strategy", "whole:random")
    shown = nas("replay", file, *arguments)
    assert "percent of the table's hypervolume missing" in " ".join(shown.out.split())


def test_a_table_says_how_complete_it_is_and_what_tells_early(file: str, nas: Command) -> None:
    shown = nas("table", file)
    assert "mine: partial, 134 of 672 members" in shown.out
    assert "parameters" in shown.out
    found = nas("table", file, "--json").json
    assert found["best"]["dice"] > 0.5
    assert found["signals"][0]["signal"] == "parameters"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tabulate", "small_volumes", "--to", "x.csv"), "--to: found 'x.csv', expected a name that ends in .jsonl"),
        (("tabulate", "hippocampus", "--to", "x.jsonl"), "recipe 'hippocampus': epochs: found 5, expected 10"),
        (("table", "absent"), "table 'absent' is unknown"),
        (("replay", "absent"), "table 'absent' is unknown"),
        (("replay", "FILE", "--strategy", "whole:randm"), "'randm' is unknown; did you mean 'random'"),
        (("replay", "FILE", "--to", "x.txt"), "--to: found 'x.txt', expected a name that ends in .csv or .json"),
        (("replay", "FILE", "--budgets", "a"), "--budgets: found 'a'"),
        (("replay", "FILE", "--budgets", "0"), "--budgets: found '0', expected whole trainings"),
        (("replay", "FILE", "--rungs", "a"), "--rungs: found 'a', expected shares such as 0.25,1"),
        (
            ("replay", "FILE", "--rungs", "0.3,1"),
            "--rungs: found 0.3, 1.0, expected shares of a training at which table",
        ),
        (("replay", "FILE", "--rungs", "0.25"), "the least first and 1 last: of 0.0625, 0.125, 0.25, 0.5, 1.0"),
        (("replay", "FILE", "--rungs", "1,0.25,1"), "--rungs: found 1.0, 0.25, 1.0, expected"),
        (("replay", "FILE", "--runs", "x.csv"), "--runs: found 'x.csv', expected a name that ends in .jsonl"),
        (("replay", "FILE", "--figure", "x.png"), "--figure: found 'x.png', expected a name that ends in .svg"),
        (("replay", "FILE", "--objective", "dice,latency"), "--objective: found 'latency', which a table does not"),
        (
            ("replay", "FILE", "--objective", "dice,macs", "--strategy", "halving:local_search"),
            "'halving:local_search': serves one objective",
        ),
        (("replay", "FILE", "--parts", "optuna:tpe"), "expected one of"),
    ],
)
def test_bad_input_is_said(arguments: tuple[str, ...], message: str, file: str, nas: Command) -> None:
    ended = nas(*(file if argument == "FILE" else argument for argument in arguments))
    assert ended.code == 2
    assert message in " ".join(ended.err.split())
