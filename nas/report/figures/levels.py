"""What won at which level: kinds of blocks, downsampling, upsampling and skips, level by level."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.report.figures import Missing
from nas.report.figures._choices import at_levels, places
from nas.report.figures._look import axis, figure, plain
from nas.report.material import Material
from nas.report.table import Table
from nas.report.table import table as table_of

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PLACE, TITLE, HEIGHT = 70, "What won at which level", 560
FEWEST = 10
"""Networks below which the best fifth are one or two."""
_NAMES = {"block": "block", "down": "downsampling", "up": "upsampling", "skip": "skip"}


@dataclass(frozen=True)
class Cell:
    """How common an option is at a place, among the best and among all that have such a place there."""

    part: str
    place: str
    option: str
    best: int
    best_of: int
    all: int
    all_of: int

    @property
    def share_of_best(self) -> float:
        """Of the best networks that have the place."""
        return self.best / self.best_of if self.best_of else 0.0

    @property
    def share_of_all(self) -> float:
        """Of all networks that have the place."""
        return self.all / self.all_of if self.all_of else 0.0


@dataclass(frozen=True)
class Levels:
    """All options at all places, among so many networks as they stood at a stage."""

    cells: tuple[Cell, ...]
    best: int
    all: int
    stage: str


def values(material: Material) -> Levels | Missing:
    """How common each kind of part is at each level among the best fifth and among all."""
    sample = material.sample
    if len(sample.trials) < FEWEST:
        return Missing(
            f"With {len(sample.trials)} networks {sample.stage} nothing can be said of what won: it takes {FEWEST}."
        )
    leading = {trial.number for trial in material.leading()}
    best: Counter[tuple[str, str, str]] = Counter()
    everywhere: Counter[tuple[str, str, str]] = Counter()
    for trial in sample.trials:
        chosen = list(at_levels(trial))
        everywhere.update(chosen)
        best.update(chosen if trial.number in leading else ())
    if not everywhere:
        return Missing("This space chooses no kinds of parts level by level.")
    of_best, of_all = _by_place(best), _by_place(everywhere)
    cells = tuple(
        Cell(*key, best[key], of_best[key[:2]], count, of_all[key[:2]]) for key, count in sorted(everywhere.items())
    )
    return Levels(cells, len(leading), len(sample.trials), sample.stage)


def _by_place(counts: "Counter[tuple[str, str, str]]") -> "Counter[tuple[str, str]]":
    totals: Counter[tuple[str, str]] = Counter()
    for (part, place, _), count in counts.items():
        totals[part, place] += count
    return totals


def words(values: Levels) -> str:
    """The options that the best prefer most."""
    surer = [cell for cell in values.cells if cell.best >= 3]
    first = sorted(surer, key=lambda cell: cell.share_of_all - cell.share_of_best)[:3]
    text = f"The best {values.best} networks beside all {values.all} {values.stage}. "
    if first:
        told = "; ".join(
            f"{cell.option} as {_NAMES.get(cell.part, cell.part)} at {cell.place} in {cell.share_of_best:.0%} of the "
            f"best, {cell.share_of_all:.0%} of all"
            for cell in first
        )
        text += f"Most preferred: {told}. "
    return text + "Published networks count as others do; a few networks more or less are chance."


def table(values: Levels) -> Table:
    """A row for each option at each place."""
    columns = ("part", "place", "option", "among the best", "of the best", "among all", "of all")
    rows = [(_NAMES.get(c.part, c.part), c.place, c.option, c.best, c.best_of, c.all, c.all_of) for c in values.cells]
    return table_of(columns, rows)


def draw(values: Levels) -> "Figure":
    """A square for each option at each level: how much more common it is among the best."""
    from plotly.graph_objects import Heatmap

    columns = places([cell.place for cell in values.cells])
    parts = sorted({cell.part for cell in values.cells}, key=lambda part: [*_NAMES, part].index(part))
    rows = [(p, option) for p in parts for option in sorted({c.option for c in values.cells if c.part == p})]
    by_key = {(cell.part, cell.option, cell.place): cell for cell in values.cells}
    grid = [[by_key.get((*row, place)) for place in columns] for row in rows]
    heat = Heatmap(
        x=columns,
        y=[f"{_NAMES.get(part, part)}: {plain(option, 24)}" for part, option in rows],
        z=[[None if cell is None else cell.share_of_best - cell.share_of_all for cell in row] for row in grid],
        text=[["" if cell is None else f"{cell.best}/{cell.all}" for cell in row] for row in grid],
        hovertext=[["" if cell is None else _hover(cell) for cell in row] for row in grid],
        hoverinfo="text",
        texttemplate="%{text}",
        textfont={"size": 10, "color": "#15181c"},
        # Orange for more, purple for less: told apart by all; pale, so that the dark figures stay legible.
        colorscale=[[0, "#b8a9d9"], [0.5, "#eceef0"], [1, "#f5b768"]],
        zmid=0,
        colorbar={"title": {"text": "more among<br>the best"}, "tickformat": "+.0%", "thickness": 12},
        xgap=1,
        ygap=1,
    )
    return figure(
        [heat],
        xaxis=axis(
            "Level: encoder 0 is the finest, decoder 0 the coarsest", side="bottom", type="category", tickangle=-40
        ),
        yaxis=axis("", autorange="reversed", type="category", tickfont={"size": 11}),
        showlegend=False,
    )


def _hover(cell: Cell) -> str:
    return (
        f"{plain(cell.option)} at {cell.place}<br>{cell.best} of {cell.best_of} of the best ({cell.share_of_best:.0%})"
        f"<br>{cell.all} of {cell.all_of} of all ({cell.share_of_all:.0%})"
    )
