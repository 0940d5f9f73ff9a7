"""Whether short training tells who is good after a long one: rank correlation between rungs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nas.report.figures import Missing
from nas.report.figures._look import axis, figure
from nas.report.figures.rungs import lines_of, value_at
from nas.report.material import Array, Material
from nas.report.table import Table
from nas.report.table import table as table_of
from nas.study.history import ENDED, Run
from nas.wording import percent

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PLACE, TITLE, HEIGHT = 45, "Does a short training tell?", 360
_FEWEST = 5
"""Networks below which a correlation says nothing."""


@dataclass(frozen=True)
class Pair:
    """Spearman's correlation between two lengths of training, over so many networks that reached both."""

    shorter: float
    longer: float
    networks: int
    correlation: float


@dataclass(frozen=True)
class Agreement:
    """All pairs of rungs that enough networks reached."""

    shares: tuple[float, ...]
    pairs: tuple[Pair, ...]


def values(material: Material) -> Agreement | Missing:
    """Correlations over the networks that reached both rungs of a pair."""
    shares = material.settings.rungs
    if len(shares) < 2:
        return Missing("Every network was trained to the end: there is no shorter training to compare with.")
    reached = [_reached(material, line) for _, line in lines_of(material)]
    pairs = []
    for short in range(len(shares)):
        for long in range(short + 1, len(shares)):
            both = [(row[short], row[long]) for row in reached if short in row and long in row]
            if len(both) >= _FEWEST:
                correlation = spearman([one for one, _ in both], [other for _, other in both])
                pairs.append(Pair(shares[short], shares[long], len(both), correlation))
    if not pairs:
        return Missing(f"Fewer than {_FEWEST} networks have reached two rungs: too few to compare ranks.")
    return Agreement(tuple(shares), tuple(pairs))


def _reached(material: Material, line: Sequence[Run]) -> dict[int, float]:
    values = {run.key.rung: value_at(run, material.metric) for run in line if run.state in ENDED}
    return {rung: value for rung, value in values.items() if value is not None}


def spearman(one: list[float], other: list[float]) -> float:
    """The correlation of ranks; NaN where one of both does not vary."""
    ranks = [_ranks(np.asarray(values, np.float64)) for values in (one, other)]
    if min(float(rank.std()) for rank in ranks) == 0:
        return float("nan")
    return float(np.asarray(np.corrcoef(ranks)).reshape(2, 2)[0, 1])


def _ranks(values: Array) -> Array:
    """Ranks, equals sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse], np.float64)


def words(values: Agreement) -> str:
    """How well the shortest training foretells the longest that can be compared with it."""
    pair = min(values.pairs, key=lambda pair: (pair.shorter, -pair.longer))
    return (
        f"Ranks after {percent(pair.shorter)} and after {percent(pair.longer)} of the training correlate with "
        f"{pair.correlation:.2f} (1: the same order, 0: none) over {pair.networks} networks. Only those that were "
        "trained on count, the better ones, among which order is harder to keep: over all networks it is likely higher."
    )


def table(values: Agreement) -> Table:
    """A row for each pair."""
    columns = ("shorter training", "longer training", "networks", "Spearman's rank correlation")
    return table_of(columns, [(p.shorter, p.longer, p.networks, p.correlation) for p in values.pairs])


def draw(values: Agreement) -> "Figure":
    """A square for each pair, with its number."""
    from plotly.graph_objects import Heatmap

    shares = [share for share in values.shares if any(share in (p.shorter, p.longer) for p in values.pairs)]
    by_pair = {(pair.shorter, pair.longer): pair for pair in values.pairs}
    cells = [[by_pair.get((short, long)) for long in shares[1:]] for short in shares[:-1]]
    heat = Heatmap(
        x=[f"{percent(share)}" for share in shares[1:]],
        y=[f"{percent(share)}" for share in shares[:-1]],
        z=[[None if pair is None else pair.correlation for pair in row] for row in cells],
        text=[
            ["" if pair is None else f"{pair.correlation:.2f}<br>n = {pair.networks}" for pair in row] for row in cells
        ],
        texttemplate="%{text}",
        textfont={"size": 14},
        colorscale="Cividis",
        zmin=-0.2,
        zmax=1,
        hoverinfo="skip",
        colorbar={"title": {"text": "correlation"}},
        xgap=2,
        ygap=2,
    )
    return figure(
        [heat],
        xaxis=axis("Longer training", type="category"),
        yaxis=axis("Shorter training", type="category"),
        showlegend=False,
    )
