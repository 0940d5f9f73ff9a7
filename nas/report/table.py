"""A figure's values as a table, for those who cannot see it and for other programs."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | int | float | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would carry out."""


@dataclass(frozen=True)
class Table:
    """Rows of cells under names of columns; units stand in the names."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def to_csv(self) -> str:
        """The table as CSV, numbers in full; a text that a spreadsheet would take for a formula begins with a quote."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_plain(cell) for cell in row] for row in self.rows)
        return text.getvalue()


def table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Table:
    """A table of these rows."""
    return Table(tuple(columns), tuple(tuple(row) for row in rows))


def shown(cell: Cell) -> str:
    """A cell as people read it: four digits, nothing where there is nothing."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return ""
    if isinstance(cell, float):
        return f"{cell:.4g}" if abs(cell) < 10_000 else f"{cell:,.0f}"
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, str) and cell.startswith(_FORMULA):
        return f"'{cell}"
    return None if isinstance(cell, float) and cell != cell else cell
