"""The costly part of a trial: a network trained, validated, and put on record."""

import json
import tempfile
from pathlib import Path

from safetensors.torch import save_file

from nas.graph import Graph
from nas.network import StepPlan, build, choose_plan
from nas.network.running import is_out_of_memory
from nas.searching.bench import Bench
from nas.searching.events import Working
from nas.study.records import Measurement
from nas.training import Epoch, Recipe, Validation, train, validate
from nas.training.feed import Feed
from nas.training.losses import supervised

WEIGHTS = "weights"
"""The kind of the artifact that holds a network's state dict, as safetensors, its step plan in the header."""
_FEWEST_STEPS = 100
"""Shorter trainings are over before timing different ways of running them would pay."""


def measure_network(bench: Bench, graph: Graph, evaluation: int) -> float:
    """Train and validate a network, put all its measurements and its weights on record, and return its Dice."""
    network = build(graph, seed=bench.seed).to(bench.device)
    recipe = bench.plan.recipe

    def report(epoch: Epoch) -> None:
        bench.study.measure(evaluation, _of_epoch(epoch))

    def step_done(step: int) -> None:
        bench.listener(Working("training", step, recipe.steps))

    def case_done(done: int) -> None:
        bench.listener(Working("validating", done, len(bench.validation)))

    plan = _timed_plan(bench, graph, recipe) if recipe.steps >= _FEWEST_STEPS else None
    plan = train(network, bench.training, recipe, seed=bench.seed, report=report, step_done=step_done, plan=plan)
    result = validate(network, bench.validation, case_done=case_done, plan=plan, mirrored=recipe.mirrored)
    bench.study.measure(evaluation, _of_validation(result, recipe.epochs))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "weights.safetensors"
        tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
        save_file(tensors, file, {"step_plan": json.dumps(plan.to_json())})
        bench.study.add_artifact(evaluation, WEIGHTS, file)
    return result.dice


def _timed_plan(bench: Bench, graph: Graph, recipe: Recipe) -> StepPlan | None:
    """How the network runs fastest here; None where a whole batch needs more memory than there is."""
    with Feed(bench.training, graph.task.patch, recipe, bench.device, seed=bench.seed) as feed:
        images, labels = feed.batch(0)
    network = build(graph, seed=bench.seed).to(bench.device)
    loss = supervised(recipe.loss, recipe.supervision)
    # A part of two patches is enough to tell, and takes the least time.
    try:
        return choose_plan(network, loss, images[:2], labels[:2], steps=recipe.steps)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None


def _of_epoch(epoch: Epoch) -> list[Measurement]:
    dice = [
        Measurement(epoch.number, "training_dice", value, class_index=index)
        for index, value in enumerate(epoch.training_dice, 1)
    ]
    return [Measurement(epoch.number, "loss", epoch.loss), *dice]


def _of_validation(result: Validation, epoch: int) -> list[Measurement]:
    rows = [Measurement(epoch, "dice", result.dice)]
    rows += [Measurement(epoch, "dice", value, class_index=index) for index, value in enumerate(result.per_class, 1)]
    for case, values in result.cases:
        rows += [Measurement(epoch, "dice", value, index, case) for index, value in enumerate(values, 1)]
    for name, means in result.means().items():
        rows += [Measurement(epoch, name, value, class_index=index) for index, value in enumerate(means, 1)]
    return rows
