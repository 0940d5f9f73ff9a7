"""How results look in a terminal. Progress and messages go to standard error, results to standard output."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import typer
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from nas.wording import duration as duration
from nas.wording import in_words as in_words
from nas.wording import measured as measured
from nas.wording import metric_name as metric_name
from nas.wording import short_count as short_count

# Names from outside are shown as they are: what is markup says so, where it is printed.
OUT = Console(highlight=False, markup=False)
ERR = Console(stderr=True, highlight=False, markup=False)


def print_json(document: Any) -> None:
    """One JSON object on standard output."""
    typer.echo(json.dumps(document, indent=2, allow_nan=False))


def complain(message: str) -> None:
    """An error in the user's input, as plain text, so that a path is never broken by a line end."""
    typer.echo(f"error: {message}", err=True)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Group:
    """A titled table whose columns after the first are right-aligned where all their cells are numbers."""
    grid = Table(box=None, pad_edge=False, header_style="dim")
    cells = [list(row) for row in rows]
    for index, name in enumerate(columns):
        numeric = index > 0 and all(_is_number(row[index]) for row in cells)
        # A narrow terminal wraps names, never cuts a figure short.
        ranked = index == 0 and all(_is_number(row[0]) for row in cells)
        grid.add_column(
            name, justify="right" if numeric or ranked else "left", overflow="fold", no_wrap=numeric or ranked
        )
    for row in cells:
        grid.add_row(*map(Text, row))
    # Not the table's own title, which is broken to the width of the columns below it.
    return Group(Text(title, style="bold"), grid)


def _is_number(text: str) -> bool:
    return text.lstrip("+-")[:1].isdigit() or text in ("", "-", "?")
