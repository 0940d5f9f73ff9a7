"""The costly part of a trial: a network trained, validated, and put on record."""

import tempfile
from pathlib import Path

from safetensors.torch import save_file

from nas.graph import Graph
from nas.network import build
from nas.searching.bench import Bench
from nas.searching.events import Working
from nas.study.records import Measurement
from nas.training import Epoch, Validation, train, validate

WEIGHTS = "weights"
"""The kind of the artifact that holds a network's state dict, as safetensors."""


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

    train(network, bench.training, recipe, seed=bench.seed, report=report, step_done=step_done)
    result = validate(network, bench.validation, case_done=case_done)
    bench.study.measure(evaluation, _of_validation(result, recipe.epochs))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "weights.safetensors"
        save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, file)
        bench.study.add_artifact(evaluation, WEIGHTS, file)
    return result.dice


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
    return rows
