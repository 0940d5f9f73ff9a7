"""How long a trial is predicted to take, before anything is built, and what is asked of a budget."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from nas.architecture import slim
from nas.catalog import load_space
from nas.clock import SYSTEM
from nas.errors import InputError
from nas.graph import Graph, Task, trace
from nas.searching.schedule import Schedule, fit_schedule
from nas.searching.settings import SearchSettings
from nas.searching.setup.fitting import describe_plan, fewest_steps, make_plan, with_mirroring, with_window
from nas.searching.setup.loading import Fold
from nas.searching.setup.search_plan import Limits, SearchPlan
from nas.searching.setup.timing import USUAL, Speed, fit
from nas.training import Augmentation, Recipe, Sample, Window
from nas.training.augmentation import Flips
from tests.training.factories import sample

TASK = Task(2, 1, 3, (16, 16), ((2, 2),) * 2)
VOLUMES = Task(3, 1, 3, (16, 16, 16), ((2, 2, 2),) * 2)
GRAPH = trace(load_space("tiny").members[0].architecture, TASK)
WINDOWS = 60
SECOND = Speed(0.0, 0.0, 1 / len(GRAPH.nodes))
"""Of a device that takes a second for a step."""
PLAN = SearchPlan(Recipe(steps=10, batch=4), Limits(), SECOND, WINDOWS * 16 * 16)
TIMED = replace(PLAN, recipe=Recipe(steps=None, batch=4), seconds_each=100.0, fewest=30)


@pytest.mark.parametrize(
    ("flips", "mirrored", "looks"), [(True, False, 1), (False, True, 1), ("x", True, 2), (True, True, 4)]
)
def test_validation_counts_as_often_as_it_looks_at_a_case(flips: bool | str, mirrored: bool, looks: int) -> None:
    recipe = replace(PLAN.recipe, augmentation=Augmentation(flips=flips), mirrored=mirrored)
    assert PLAN.decided(recipe).seconds(GRAPH) == pytest.approx(10 + looks * WINDOWS / 4 / 3)


def test_a_trial_with_a_time_makes_as_many_steps_as_validation_leaves_and_needs_the_fewest() -> None:
    assert TIMED.expected_steps(GRAPH) == 95
    assert TIMED.seconds(GRAPH) == pytest.approx(30 + 5)
    assert replace(TIMED, limits=Limits(seconds=36)).fits(GRAPH)
    assert not replace(TIMED, limits=Limits(seconds=34)).fits(GRAPH)


@pytest.mark.parametrize(
    "plan",
    [
        PLAN,
        TIMED,
        replace(TIMED, window=Window((16, 16), 0.25)),
        replace(TIMED, window=Window((16, 16)), brief_window=Window()),
        replace(TIMED, schedule=fit_schedule(900.0), brief_cases=6),
    ],
)
def test_a_plan_is_read_back_as_it_was_written(plan: SearchPlan) -> None:
    assert SearchPlan.from_json(plan.recipe.to_json(), plan.to_json()) == plan


@pytest.mark.parametrize(
    ("rungs", "survivors", "words"),
    [
        ((1.0,), (2,), "2 networks for 800 s"),
        ((0.25, 1.0), (4, 2), "about 4 networks for 200 s each, then the best 2 to 800 s"),
        # Two go on twice: nobody is left behind between.
        ((0.0625, 0.25, 1.0), (8, 2, 2), "about 8 networks for 50 s each, then the best 2 to 800 s"),
    ],
)
def test_the_plan_says_who_is_trained_how_long(
    rungs: tuple[float, ...], survivors: tuple[int, ...], words: str
) -> None:
    schedule = Schedule(seconds=900.0, length=800.0, rungs=rungs, survivors=survivors)
    notes = describe_plan(replace(TIMED, schedule=schedule), TIMED.recipe, TASK, SearchSettings())
    assert f"plan: {words}, validation included" in [note.text for note in notes]


@pytest.mark.parametrize(
    ("window", "mirrored", "words"),
    [
        (Window(), False, "whole images at once"),
        (Window(), True, "whole images at once, averaged over mirrored ones"),
        (Window((16, 16)), False, "windows of the patch's size that overlap by 50%"),
    ],
)
def test_a_plan_says_what_validation_looks_through(window: Window, mirrored: bool, words: str) -> None:
    recipe = replace(TIMED.recipe, mirrored=mirrored)
    notes = describe_plan(replace(TIMED, window=window), recipe, TASK, SearchSettings())
    assert f"plan: validated on whole cases, through {words}" in [note.text for note in notes]


def test_a_plan_of_a_study_that_counted_steps_is_read() -> None:
    document = {name: PLAN.to_json()[name] for name in ("limits", "speed", "positions")}
    assert SearchPlan.from_json(PLAN.recipe.to_json(), document) == PLAN


@pytest.mark.parametrize("slower", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("rungs", [(8,), (8, 6), (8, 6, 3)])
def test_networks_of_all_widths_are_predicted_from_a_few_narrow_ones(slower: float, rungs: tuple[int, ...]) -> None:
    true = Speed(USUAL.per_mac * slower, USUAL.per_byte * slower, USUAL.per_node * slower)
    rows = [(graph, 4, true.step_seconds(graph, 4)) for graph in map(slimmed, rungs)]
    wide = slimmed(1)
    assert fit(rows).step_seconds(wide, 4) == pytest.approx(true.step_seconds(wide, 4), rel=0.01)


def test_speed_is_learnt_from_what_networks_took() -> None:
    true = Speed(USUAL.per_mac * 4, USUAL.per_byte, USUAL.per_node)
    rows = [(slimmed(rungs), 4, true.step_seconds(slimmed(rungs), 4)) for rungs in (8, 6, 4, 2, 1)]
    before, after = USUAL, USUAL.learnt(rows)
    wide, wanted = slimmed(0), true.step_seconds(slimmed(0), 4)
    assert abs(after.step_seconds(wide, 4) / wanted - 1) < abs(before.step_seconds(wide, 4) / wanted - 1) / 2


def slimmed(rungs: int) -> Graph:
    architecture = load_space("unet_family").references["U-Net BN"]
    return trace(slim(architecture, rungs), Task(2, 1, 3, (64, 64), ((2, 2),) * 4))


def planned(
    budget: str, *, began: float = 0.0, training: Sequence[Sample] | None = None, **options: object
) -> SearchPlan:
    settings = SearchSettings(space="tiny", budget=budget, **{"trials": 1, **options})  # type: ignore[arg-type]
    cases = Fold(training or [sample(seed=0)] * 2, [sample(seed=1)] * 2)
    device = torch.device("cpu")
    return make_plan(settings, load_space("tiny"), TASK, 4, cases, device, began=SYSTEM.steady() - began)


def test_a_trial_has_its_share_of_what_is_left_of_the_budget() -> None:
    plan = planned("1000s", began=100.0, trials=4)
    assert plan.schedule is not None
    assert plan.schedule.set_up >= 100
    assert plan.schedule.seconds + plan.schedule.set_up == pytest.approx(1000)
    assert (plan.seconds_each, plan.rungs) == (plan.schedule.length, (0.25, 1.0))
    assert plan.recipe.steps is None


def test_patches_are_varied_and_not_mirrored_however_short_a_training_is() -> None:
    large = [replace(sample((3000, 3000)), name=str(number)) for number in range(2)]
    assert planned("100s", training=large).recipe.augmentation == Augmentation(flips=False)


def test_a_learning_rate_has_risen_and_an_epoch_ended_at_the_first_rung() -> None:
    plan = planned("1h", trials=None)
    first = plan.rungs[0]
    assert len(plan.rungs) > 2
    assert plan.recipe.warm_up < first / 2
    assert plan.fewest * first >= 100
    assert plan.recipe.epochs * first >= 1
    assert planned("1000s").recipe.warm_up == Recipe().warm_up


def test_a_search_of_so_many_steps_each_has_no_rungs() -> None:
    plan = planned("1000s", steps=7)
    assert (plan.recipe.steps, plan.schedule, plan.rungs) == (7, None, (1.0,))


def test_networks_that_are_compared_at_equal_steps_climb_in_the_time_that_is_planned() -> None:
    plan = planned("1000s", compare="steps", trials=None)
    assert plan.schedule is not None
    assert len(plan.rungs) > 1
    assert plan.recipe.steps is not None
    assert plan.recipe.steps >= plan.fewest
    assert SearchPlan.from_json(plan.recipe.to_json(), plan.to_json()).recipe.steps == plan.recipe.steps


@pytest.mark.parametrize(
    ("seconds", "axes", "narrowest", "first", "fewest"),
    [
        pytest.param(60, 2, 5000, 1.0, 700, id="a minute in 2D"),
        pytest.param(60, 3, 5000, 1.0, 430, id="patches of volumes show more each"),
        pytest.param(15, 2, 5000, 1.0, 350, id="a quarter of a minute: half as many"),
        pytest.param(600, 3, 50_000, 1.0, 1712, id="ten minutes: longer and wider"),
        pytest.param(282, 2, 8000, 1.0, 3045, id="five minutes: in 2D longer alone"),
        pytest.param(60, 2, 800, 1.0, 400, id="a slow machine: half of what the narrowest makes"),
        pytest.param(600, 2, 50_000, 1 / 64, 6400, id="a hundred to the first rung"),
        pytest.param(60, 2, 800, 1 / 16, 1600, id="a hundred, on a slow machine too"),
        pytest.param(1, 2, 10, 1.0, 20, id="fewer teach nothing"),
    ],
)
def test_how_many_steps_a_training_has_to_make(
    seconds: float, axes: int, narrowest: int, first: float, fewest: int
) -> None:
    assert fewest_steps(seconds, axes, narrowest, first) == fewest


def test_a_budget_in_which_nothing_can_be_learnt_is_refused_with_one_that_would_do() -> None:
    with pytest.raises(InputError, match=r"budget: in 0.01s .* nothing can be learnt; give at least \d+[smh]"):
        planned("0.01s")


@pytest.mark.parametrize(
    ("task", "seconds", "memory", "window", "briefly"),
    [
        pytest.param(TASK, 10_000.0, None, Window(), Window(), id="whole images"),
        pytest.param(TASK, 10_000.0, 10**6, Window((16, 16), 0.25), Window((16, 16), 0.25), id="too large for memory"),
        pytest.param(VOLUMES, 10_000.0, None, Window((16, 16, 16)), Window(), id="volumes: windows, nearly free"),
        pytest.param(VOLUMES, 100.0, None, Window(), Window(), id="volumes: windows that cost more"),
    ],
)
def test_what_validation_looks_through(
    task: Task, seconds: float, memory: int | None, window: Window, briefly: Window
) -> None:
    cases = Fold([], [sample((400, 400) if task.axes == 2 else (40, 40, 40), seed=1)])
    graph = trace(load_space("tiny").members[0].architecture, task)
    plan = with_window(replace(TIMED, seconds_each=seconds, limits=Limits(memory=memory)), graph, task, cases)
    assert (plan.window, plan.brief_window) == (window, briefly)
    assert plan.positions == window.positions(cases.validation, task)


@pytest.mark.parametrize(
    ("flips", "seconds", "wish", "mirrored"),
    [
        pytest.param(True, 1000.0, "", True, id="nearly free"),
        pytest.param(True, 100.0, "", False, id="costs more than that"),
        pytest.param("x", 400.0, "", True, id="half as many"),
        pytest.param(False, 1000.0, "", False, id="patches are not mirrored"),
        pytest.param(True, 1000.0, "mirrored = false", False, id="the user's recipe says so"),
    ],
)
def test_validation_averages_over_mirrored_images_where_that_costs_next_to_nothing(
    flips: Flips, seconds: float, wish: str, mirrored: bool, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(f"[recipe]\n{wish}\n")
    recipe = replace(TIMED.recipe, augmentation=Augmentation(flips=flips))
    plan = replace(TIMED, seconds_each=seconds).decided(recipe)
    assert with_mirroring(recipe, plan, GRAPH, SearchSettings(recipe=str(tmp_path / "mine.toml"))).mirrored == mirrored
