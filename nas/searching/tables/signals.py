"""What is known of a network before its training ends, and how well that ranks networks like their final Dice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from nas.searching.tables.extrapolation import FEWEST, extrapolated
from nas.searching.tables.table import TENTHS, Row, Table, mean_dice

_RESAMPLES = 1000
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Signal:
    """A rank correlation (Spearman) with the final Dice, and its bootstrap interval over members."""

    name: str
    correlation: float
    low: float
    high: float
    members: int

    def to_json(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "signal": self.name,
            "correlation": round(self.correlation, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
            "members": self.members,
        }


def signals(table: Table) -> list[Signal]:
    """Parameters, MACs, training Dice and loss at every tenth, where that points, and a few cases at every rung."""
    complete = [row for row in table.firsts.values() if row.dice == row.dice]
    final = [row.dice for row in complete]
    known = [dict(_known(row, table)) for row in complete]
    return [signal(name, [values[name] for values in known], final) for name in (known[0] if known else ())]


def signal(name: str, values: Sequence[float], final: Sequence[float]) -> Signal:
    """How well values rank members like their final Dice; members without a value are left out."""
    both = np.array([values, final], float)
    both = both[:, np.isfinite(both).all(axis=0)]
    count = both.shape[1]
    if count < 3 or np.ptp(both[0]) == 0:
        return Signal(name, 0.0, -1.0, 1.0, count)
    generator = np.random.default_rng(0)
    drawn = _correlations(both[:, generator.integers(0, count, (_RESAMPLES, count))])
    low, high = np.nanquantile(drawn, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    return Signal(name, float(_correlations(both[:, None])[0]), float(low), float(high), count)


def noise(table: Table) -> float | None:
    """The standard deviation of a member's final Dice between seeds; None where none was trained twice."""
    differences = np.array([one.dice - other.dice for one, other in table.pairs])
    differences = differences[np.isfinite(differences)]
    return float(np.sqrt(np.mean(differences**2) / 2)) if len(differences) else None


def _correlations(pairs: Any) -> Any:
    """Spearman's correlation of each sample, (2, samples, members); NaN where nothing varies."""
    ranks = rankdata(pairs, axis=-1)
    apart = ranks - ranks.mean(axis=-1, keepdims=True)
    lengths = np.sqrt((apart**2).sum(axis=-1).prod(axis=0))
    together = (apart[0] * apart[1]).sum(axis=-1)
    return np.divide(together, lengths, out=np.full_like(together, np.nan), where=lengths > 0)


def _known(row: Row, table: Table) -> Iterator[tuple[str, float]]:
    yield "parameters", float(row.parameters)
    yield "MACs", float(row.macs)
    for tenth in range(TENTHS):
        yield f"training Dice after {tenth + 1}/{TENTHS}", _at(row.training_dice, tenth)
    for tenth in range(FEWEST - 1, TENTHS - 1):
        yield f"training Dice extrapolated from {tenth + 1}/{TENTHS}", _extrapolated(row.training_dice, tenth + 1)
    for tenth in range(TENTHS):
        yield f"training loss after {tenth + 1}/{TENTHS}", -_at(row.losses, tenth)
    for place, rung in enumerate(table.making.rungs[:-1]):
        look = mean_dice(row.looks[place]) if place < len(row.looks) else float("nan")
        yield f"Dice of {len(table.making.looked_at)} cases after 1/{round(1 / rung)}", look


def _extrapolated(values: Sequence[float], seen: int) -> float:
    known = [value for value in values[:seen] if value == value]
    return extrapolated(known, TENTHS).value if len(known) == seen else float("nan")


def _at(values: Sequence[float], place: int) -> float:
    return values[place] if place < len(values) else float("nan")
