"""Results case by case in a CSV, of this tool or of any other."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nas.confirming.comparing import Scores
from nas.errors import InputError

_SHOWN = 3
ABOUT = ("case", "cases", "fold", "group")
"""Columns that say which case a row is of; all others hold figures."""


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
    wanted = [name for name in columns if name not in ABOUT and column in (None, name)]
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
    expect_cases(own.cases, others, source)
    values = np.array([[others[case] for case in own.cases]], np.float64)
    return Scores(name, values, own.cases, own.folds, own.groups)


def expect_cases(cases: Sequence[str], others: Mapping[str, float], source: str) -> None:
    """Refuse another's results that lack some cases.

    Raises:
        InputError: says which, and what the file calls its own.
    """
    lacking = [case for case in cases if case not in others]
    if lacking:
        examples = ", ".join(lacking[:_SHOWN]) + (", ..." if len(lacking) > _SHOWN else "")
        raise InputError(
            f"{source}: lacks {len(lacking)} of {len(cases)} cases ({examples}); it has such as "
            f"{', '.join(list(others)[:_SHOWN])}; expected the same names"
        )


def _number(path: Path, line: int, row: Mapping[str, str | None], column: str) -> float:
    text = (row[column] or "").strip()
    try:
        return float(text) if text else float("nan")
    except ValueError:
        raise InputError(f"{path}, line {line}: {column}: found {text!r}, expected a number or nothing") from None


def to_csv(parts: Mapping[str, Mapping[str, Sequence[Scores]]]) -> str:
    """A row for each case with its fold and group, and a column for each network, structure and seed.

    Args:
        parts: by the kind of cases (of all folds, held out) and by structure, the scores of networks.
    """
    rows: dict[tuple[str, str], dict[str, str]] = {}
    columns: dict[str, None] = {}
    for cases, structures in parts.items():
        for structure, networks in structures.items():
            for network in networks:
                _add(rows, columns, cases, structure, network)
    lines = [[*ABOUT, *columns]]
    lines += [[*(row[name] for name in ABOUT), *(row.get(name, "") for name in columns)] for row in rows.values()]
    return "".join(",".join(map(_quoted, line)) + "\n" for line in lines)


def _add(
    rows: dict[tuple[str, str], dict[str, str]], columns: dict[str, None], cases: str, structure: str, network: Scores
) -> None:
    """The scores of one network, into rows by kind of cases and name."""
    for seed, values in enumerate(network.values):
        column = f"{network.name}, {structure}, seed {seed}"
        columns[column] = None
        for index, case in enumerate(network.cases):
            about = {"case": case, "cases": cases, "fold": str(network.folds[index]), "group": network.groups[index]}
            row = rows.setdefault((cases, case), about)
            row[column] = "" if values[index] != values[index] else repr(float(values[index]))


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in ',"\n') else cell
