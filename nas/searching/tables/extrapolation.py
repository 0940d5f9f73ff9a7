"""What a curve of training comes to: a power law through its beginning, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

POWERS = (0.25, 0.5, 1.0, 2.0)
"""How fast a curve comes near what it comes to; of these the one that the points lie nearest to."""
FEWEST = 4
"""Points through which a curve of three numbers is drawn."""


@dataclass(frozen=True)
class Expected:
    """The value at the end, and the standard error of a value there: the curve's own, and that of one measurement."""

    value: float
    error: float


def extrapolated(values: Sequence[float], end: int) -> Expected:
    """Where a curve is expected to end, value = a - b / time^c (pow3 of Domhan et al., IJCAI 2015, 3460).

    Args:
        values: at times 1, 2, 3, ...; at least `FEWEST`.
        end: the time that is asked for.

    Raises:
        ValueError: there are fewer values.
    """
    if len(values) < FEWEST:
        raise ValueError(f"{len(values)} values, expected at least {FEWEST}")
    seen = np.asarray(values, float)
    times = np.arange(1, len(seen) + 1)
    squares, power, weights = min((_fitted(times, seen, power) for power in POWERS), key=lambda curve: curve[0])
    basis, asked = _basis(times, power), _basis(np.array([end]), power)[0]
    # Two weights and a power are fitted, which leaves so many degrees of freedom.
    variance = squares / (len(seen) - 3)
    error = np.sqrt(variance * (1 + asked @ np.linalg.inv(basis.T @ basis) @ asked))
    return Expected(float(asked @ weights), float(error))


def _basis(times: np.ndarray, power: float) -> np.ndarray:
    return np.stack([np.ones(len(times)), -(times.astype(float) ** -power)], axis=1)


def _fitted(times: np.ndarray, seen: np.ndarray, power: float) -> tuple[float, float, np.ndarray]:
    """The sum of squares that the best curve of a power leaves, the power, and the curve's two weights."""
    basis = _basis(times, power)
    weights, *_ = np.linalg.lstsq(basis, seen, rcond=None)
    return float(((seen - basis @ weights) ** 2).sum()), power, weights
