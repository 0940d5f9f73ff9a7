"""What ranks networks early, and how much chance there is in it."""

import math
from dataclasses import replace

import pytest

from nas.searching.tables.signals import noise, signal, signals
from nas.searching.tables.table import Table
from tests.searching.tables.synthetic import synthetic


@pytest.mark.parametrize(
    ("values", "correlation", "members"),
    [
        ([1, 2, 3, 4], 1.0, 4),
        ([4, 3, 2, 1], -1.0, 4),
        ([1, 2, 3, math.nan], 1.0, 3),
        ([7, 7, 7, 7], 0.0, 4),
        ([1, 2, math.nan, math.nan], 0.0, 2),
    ],
)
def test_members_are_ranked_as_by_their_dice_or_not(values: list[float], correlation: float, members: int) -> None:
    found = signal("any", values, [0.1, 0.2, 0.3, 0.4])
    assert (found.correlation, found.members) == (pytest.approx(correlation), members)
    assert found.low <= found.correlation <= found.high


def test_later_looks_tell_more() -> None:
    found = {one.name: one.correlation for one in signals(synthetic(share=0.3))}
    looks = [found[f"Dice of 1 cases after 1/{parts}"] for parts in (16, 8, 4, 2)]
    assert looks == sorted(looks)
    assert abs(found["parameters"]) < looks[0] < looks[-1] < 1


def test_noise_is_what_two_trainings_of_a_member_differ_by() -> None:
    table = synthetic(share=0.1)
    assert noise(table) is None
    others = [replace(row, seed=1, scores=((row.dice + sign * 0.02,),)) for sign in (-1, 1) for row in table.rows[::2]]
    assert noise(Table("twice", table.making, (*table.rows, *others))) == pytest.approx(0.02 / math.sqrt(2))
