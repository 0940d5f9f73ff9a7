"""Where a curve of training is expected to end."""

import numpy as np
import pytest

from nas.searching.tables.extrapolation import FEWEST, POWERS, extrapolated

TIMES = np.arange(1, 11)


@pytest.mark.parametrize("power", POWERS)
def test_a_power_law_is_found_from_its_beginning(power: float) -> None:
    curve = 0.9 - 0.5 * TIMES.astype(float) ** -power
    expected = extrapolated(list(curve[:5]), 10)
    assert expected.value == pytest.approx(curve[-1], abs=1e-9)
    assert expected.error == pytest.approx(0.0, abs=1e-6)


def test_a_curve_that_has_ended_stays_where_it_is() -> None:
    assert extrapolated([0.7] * 6, 10).value == pytest.approx(0.7)


def test_what_is_farther_away_is_known_less_well() -> None:
    noisy = list(0.9 - 0.5 / TIMES + np.random.default_rng(0).normal(0, 0.02, 10))
    near, far = extrapolated(noisy[:5], 6), extrapolated(noisy[:5], 10)
    assert 0 < near.error < far.error


def test_the_error_holds_the_end_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(0)
    curve = 0.9 - 0.5 / TIMES
    drawn = [curve + chance.normal(0, 0.01, 10) for _ in range(300)]
    held = [abs((found := extrapolated(list(one[:8]), 10)).value - one[-1]) < 2 * found.error for one in drawn]
    assert 0.85 < np.mean(held) < 1.0


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match=f"at least {FEWEST}"):
        extrapolated([0.1] * (FEWEST - 1), 10)
