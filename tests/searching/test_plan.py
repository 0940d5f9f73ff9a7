"""How long a trial is predicted to take, before anything is built."""

from dataclasses import replace

import pytest

from nas.catalog import load_space
from nas.graph import Task, trace
from nas.searching.plan import Limits, Plan
from nas.searching.timing import Speed
from nas.training import Augmentation, Recipe

GRAPH = trace(load_space("tiny").members[0].architecture, Task(2, 1, 1, (16, 16), ((2, 2),) * 2))
WINDOWS = 60
PLAN = Plan(Recipe(steps=10, batch=4), Limits(), Speed(0.0, 0.0, 1 / len(GRAPH.nodes)), WINDOWS * 16 * 16)
"""Of a device that takes a second for a step."""


@pytest.mark.parametrize(
    ("flips", "mirrored", "looks"), [(True, False, 1), (False, True, 1), ("x", True, 2), (True, True, 4)]
)
def test_validation_counts_as_often_as_it_looks_at_a_case(flips: bool | str, mirrored: bool, looks: int) -> None:
    recipe = replace(PLAN.recipe, augmentation=Augmentation(flips=flips), mirrored=mirrored)
    assert PLAN.decided(recipe).seconds(GRAPH) == pytest.approx(10 + looks * WINDOWS / 4 / 3)
