"""A table's file: what is written is what is read, and what is no table is refused."""

import math
from pathlib import Path

import pytest

from nas.errors import InputError
from nas.searching.tables.table import (
    Making,
    Row,
    Table,
    first_line,
    line_of,
    load_table,
    mean_dice,
    read_table,
    table_names,
)
from nas.study.history import State

MAKING = Making(
    study="tiny", coarser=1.0,
    space="tiny", space_digest="d", recipe={"steps": 10, "weight_decay": 1e-6}, data="brain", data_digest="e", task={},
    preprocessing={}, members=3, rungs=(0.5, 1.0), cases=("a", "b"), looked_at=("a",), targets=("x", "y"), twice=5,
    command="nas tabulate tiny", versions={},
)  # fmt: skip
SCORES = ((0.5, math.nan), (0.7, 0.25))


def row(number: int, seed: int = 0, **changes: object) -> Row:
    facts = {"decisions": {"rate": 1e-6}, "digest": str(number), "recipe_digest": "r", "parameters": 9, "macs": 90}
    return Row(**{"number": number, "seed": seed, **facts, "scores": SCORES, **changes})  # type: ignore[arg-type]


ROWS = (
    row(0, training_dice=(0.1, math.nan), losses=(1.0, 0.9), looks=(((0.3, 0.2),),), seconds=3.25),
    row(0, seed=1, scores=((0.5, 0.5), (0.5, 0.5))),
    row(1, state=State.DIVERGED, reason="the loss became nan", scores=()),
)


def written(folder: Path) -> Path:
    file = folder / "mine.jsonl"
    file.write_text(first_line(MAKING) + "".join(map(line_of, ROWS)))
    return file


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    table = read_table(written(tmp_path))
    assert table.making == MAKING
    assert repr(table.rows) == repr(ROWS)  # NaN is not itself


def test_a_line_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.write_text(file.read_text()[:-20])
    assert [line.number for line in read_table(file).rows] == [0, 0]


def test_a_member_counts_once_and_its_second_training_tells_the_noise() -> None:
    table = Table("mine", MAKING, ROWS)
    assert table.in_words == "mine: partial, 2 of 3 members, 1 with two seeds"
    assert [(one.dice, other.dice) for one, other in table.pairs] == [(0.425, 0.5)]
    assert table.best is ROWS[0]


def test_dice_is_the_mean_over_targets_of_the_cases_that_have_them() -> None:
    assert mean_dice(SCORES) == pytest.approx((0.6 + 0.25) / 2)
    assert math.isnan(mean_dice(()))


def test_nothing_trained_has_no_best() -> None:
    with pytest.raises(InputError, match="go on with nas tabulate"):
        _ = Table("mine", MAKING, ROWS[2:]).best


@pytest.mark.parametrize("text", ["", "{}\n", "[1]\n", '{"format": 9}\n', first_line(MAKING) + '{"number": 1}\n'])
def test_what_is_no_table_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text(text)
    with pytest.raises(InputError, match=r"mine\.jsonl: found .* expected what nas tabulate"):
        read_table(file)


def test_a_table_that_is_not_there_is_said() -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_table("./absent.jsonl")
    with pytest.raises(InputError, match="table 'absent' is unknown"):
        load_table("absent")


@pytest.mark.parametrize("name", table_names())
def test_shipped_tables_are_those_of_their_spaces(name: str) -> None:
    from nas.catalog import load_space

    table = load_table(name)
    assert table.making.space_digest == load_space(table.making.space).digest()
    assert table.best.dice > 0.5
