"""How results look in a terminal. Progress and messages go to standard error, results to standard output."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import typer
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

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


def short_count(number: int) -> str:
    """A count as people say it: 31.0 M, 48.1 G."""
    value = float(number)
    for unit in ("", " k", " M", " G"):
        if value < 999.95:
            return f"{value:.0f}" if unit == "" else f"{value:.1f}{unit}"
        value /= 1000
    return f"{value:.1f} T"


def duration(seconds: float) -> str:
    """A time as people say it: 8.4 s, 12 min, 3 h 05 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


_NAMES = {"dice": "Dice", "iou": "IoU", "hausdorff95": "HD95", "surface_dice": "surface Dice"}


def metric_name(metric: str) -> str:
    """A metric as people write it."""
    return _NAMES.get(metric, metric.replace("_", " "))


def measured(metric: str, value: float) -> str:
    """A value with its unit and as many digits as say something."""
    match metric:
        case "latency":
            return f"{1000 * value:.1f} ms"
        case "hausdorff95":
            return f"{value:.2f} mm"
        case "seconds":
            return duration(value)
        case "parameters" | "macs" | "training_bytes":
            return short_count(round(value))
    return f"{value:.4f}"


def in_words(values: Mapping[str, float]) -> str:
    """Values by metric in one line: Dice 0.8821."""
    return ", ".join(f"{metric_name(metric)} {measured(metric, value)}" for metric, value in values.items())


def _is_number(text: str) -> bool:
    return text.lstrip("+-")[:1].isdigit() or text in ("", "-", "?")
