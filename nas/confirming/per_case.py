"""Results case by case in a CSV, of this tool or of any other."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from nas.confirming.comparing import Scores
from nas.errors import InputError, field_named

_SHOWN = 3
ABOUT = ("case", "cases", "fold", "group")
"""Columns that say which case a row is of; all others hold figures."""


def read_per_case(path: Path, column: str | None = None) -> dict[str, dict[str, float]]:
    """The columns of a CSV with a column `case`: for each, by its name, the value of each case; empty is NaN.

    Args:
        path: the file; its first row names the columns.
        column: the only one that is wanted.

    Raises:
        InputError: the file cannot be read, lacks the column `case`, names a case or a column twice, or holds what
            is no Dice.
    """
    columns, rows = _read(path)
    wanted = [name for name in columns if name not in ABOUT and column in (None, name)]
    if "case" not in columns or not wanted:
        what = f"a column {column!r}" if column else "one with figures"
        raise InputError(
            f"{path}: found the columns {', '.join(columns) or 'none'}; expected 'case' and {what}, in the first row"
        )
    cases: dict[str, tuple[int, dict[str, str]]] = {}
    for line, row in rows:
        case = row["case"]
        if not case:
            raise InputError(f"{path}, line {line}: found no case, expected its name in the column 'case'")
        if case in cases:
            raise InputError(f"{path}: case {case!r} occurs twice; expected a row for each case")
        cases[case] = line, row
    return {name: {case: _number(path, line, row, name) for case, (line, row) in cases.items()} for name in wanted}


def _read(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """The names of the columns, and each line's number and cells; where a line ends early they are empty."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="", restval="")
            columns = [name for name in reader.fieldnames or () if name]
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as CSV ({error}); give another file") from None
    twice = next((name for name, count in Counter(columns).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"{path}: the column {twice!r} occurs twice; expected a name for each column")
    longer = next((line for line, row in rows if isinstance(row.get(""), list)), None)
    if longer is not None:
        raise InputError(f"{path}, line {longer}: found more cells than the first row names; expected as many at most")
    return columns, rows


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


def _number(path: Path, line: int, row: Mapping[str, str], column: str) -> float:
    text = row[column].strip()
    try:
        number = float(text) if text else float("nan")
    except ValueError:
        number = float("inf")
    if not (number != number or 0 <= number <= 1):
        raise InputError(
            f"{path}, line {line}: {column}: found {text!r}, expected a number from 0 to 1, or nothing; where it is no "
            f"Dice, name the column that is with {field_named('column')}"
        )
    return number


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
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()


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
