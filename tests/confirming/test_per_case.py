"""Results of other tools, case by case."""

import math
from pathlib import Path

import numpy as np
import pytest

from nas.confirming import Scores
from nas.confirming.per_case import matched, read_per_case, to_csv
from nas.errors import InputError


def written(folder: Path, text: str) -> Path:
    path = folder / "results.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_columns_are_read_by_name_and_empty_cells_are_undefined(tmp_path: Path) -> None:
    found = read_per_case(written(tmp_path, "case,theirs,other\na,0.5,\nb,0.25,1\n"))
    assert found["theirs"] == {"a": 0.5, "b": 0.25}
    assert math.isnan(found["other"]["a"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "found the columns none; expected 'case'"),
        ("name,dice\na,1\n", "found the columns name, dice; expected 'case'"),
        ("case\na\n", "expected 'case' and one with figures"),
        ("case,dice\na,1\na,2\n", "case 'a' occurs twice"),
        ("case,dice\na,good\n", "line 2: dice: found 'good', expected a number from 0 to 1"),
        ("case,dice\na,89.1\n", "line 2: dice: found '89.1', expected a number from 0 to 1"),
        ("case,dice\na,inf\n", "line 2: dice: found 'inf', expected a number from 0 to 1"),
        ("dice,case\n0.5\n", "line 2: found no case, expected its name"),
        ("case,dice\n,0.5\n", "line 2: found no case, expected its name"),
        ("case,dice\na,0.5,0.6\n", "line 2: found more cells than the first row names"),
        ("case,dice,dice\na,0.5,0.6\n", "the column 'dice' occurs twice"),
    ],
)
def test_what_is_no_such_table_is_refused(text: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=expected):
        read_per_case(written(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: cannot be read as CSV"):
        read_per_case(tmp_path / "none.csv")


def test_others_results_are_put_in_the_order_of_one_s_own() -> None:
    own = Scores("mine", np.array([[0.1, 0.2]]), ("b", "a"))
    found = matched(own, {"a": 1.0, "b": 0.5, "further": 0.25}, "theirs", "results.csv")
    assert found.cases == own.cases
    assert found.values.tolist() == [[0.5, 1.0]]
    with pytest.raises(
        InputError, match=r"results\.csv: lacks 1 of 2 cases \(b\); it has such as a; expected the same"
    ):
        matched(own, {"a": 1.0}, "theirs", "results.csv")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    folds = Scores('a, "b"', np.array([[0.5, math.nan], [0.25, 1.0]]), ("x", "y"), (0, 1), ("p", "p"))
    held_out = Scores('a, "b"', np.array([[0.75]]), ("z",))
    text = to_csv({"folds": {"all": [folds]}, "held-out cases": {"all": [held_out]}})
    assert text.splitlines()[1:] == ["x,folds,0,p,0.5,0.25", "y,folds,1,p,,1.0", "z,held-out cases,0,z,0.75,"]
    column = 'a, "b", all, seed 1'
    again = read_per_case(written(tmp_path, text), column)[column]
    assert (again["x"], again["y"], list(again)) == (0.25, 1.0, ["x", "y", "z"])
    assert "fold" not in read_per_case(written(tmp_path, text))
