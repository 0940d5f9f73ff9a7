"""Results case by case in a CSV, of this tool or of any other."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nas.confirming.comparing import Scores
from nas.errors import InputError

_SHOWN = 3


def read_per_case(path: Path, column: str | None = None) -> dict[str, dict[str, float]]:
    """The columns of a CSV with a column `case`: for each, by its name, the value of each case; empty is NaN.

    Args:
        path: the file; its first row names the columns.
        column: the only one that is wanted.

    Raises:
        InputError: the file cannot be read, lacks the column `case`, names a case twice or holds what is no number.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as CSV ({error}); give another file") from None
    columns = [name for name in (rows[0] if rows else {}) if name]
    wanted = [name for name in columns if name != "case" and column in (None, name)]
    if "case" not in columns or not wanted:
        what = f"a column {column!r}" if column else "one with figures"
        raise InputError(
            f"{path}: found the columns {', '.join(columns) or 'none'}; expected 'case' and {what}, in the first row"
        )
    names = [row["case"] for row in rows]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}: case {twice!r} occurs twice; expected a row for each case")
    return {
        name: {row["case"]: _number(path, number, row, name) for number, row in enumerate(rows, 2)} for name in wanted
    }


def matched(own: Scores, others: Mapping[str, float], name: str, source: str) -> Scores:
    """Another's values of one's own cases, as a network of one seed.

    Args:
        own: whose cases are wanted, in their order.
        others: values by case; those of further cases are left out.
        name: of the other network.
        source: where they come from, for messages.

    Raises:
        InputError: a case has no value there.
    """
    lacking = [case for case in own.cases if case not in others]
    if lacking:
        told = ", ".join(lacking[:_SHOWN]) + (", ..." if len(lacking) > _SHOWN else "")
        raise InputError(
            f"{source}: lacks {len(lacking)} of {len(own.cases)} cases ({told}); it has such as "
            f"{', '.join(list(others)[:_SHOWN])}; expected the same names"
        )
    values = np.array([[others[case] for case in own.cases]], np.float64)
    return Scores(name, values, own.cases, own.folds, own.groups)


def _number(path: Path, line: int, row: Mapping[str, str | None], column: str) -> float:
    text = (row[column] or "").strip()
    try:
        return float(text) if text else float("nan")
    except ValueError:
        raise InputError(f"{path}, line {line}: {column}: found {text!r}, expected a number or nothing") from None


def to_csv(scores: Sequence[Scores]) -> str:
    """A row for each case with its fold and group, and a column for each network and seed."""
    names = [f"{network.name} seed {seed}" for network in scores for seed in range(len(network.values))]
    lines = [["case", "fold", "group", *names]]
    first = scores[0]
    for index, case in enumerate(first.cases):
        values = [network.values[seed, index] for network in scores for seed in range(len(network.values))]
        told = ["" if value != value else repr(float(value)) for value in values]
        lines.append([case, str(first.folds[index]), first.groups[index], *told])
    return "".join(",".join(_quoted(cell) for cell in line) + "\n" for line in lines)


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in ',"\n') else cell
