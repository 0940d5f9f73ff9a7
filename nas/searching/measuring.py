"""The costly part of a trial: a network trained, validated, and put on record."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file

from nas.errors import InputError
from nas.graph import Graph
from nas.network import Network, StepPlan, build
from nas.network.running import is_out_of_memory
from nas.searching.bench import Bench
from nas.searching.events import Note, Working
from nas.searching.interrupting import Stop, deferred
from nas.searching.timing import timed_plan
from nas.study.records import Measurement
from nas.training import CheckpointError, Epoch, Recipe, Validation, train, validate
from nas.training.loop import Write

WEIGHTS = "weights"
"""The kind of the artifact that holds a network's state dict, as safetensors, its step plan in the header."""
SECONDS_BETWEEN_CHECKPOINTS = 30.0
_FEWEST_STEPS = 100
"""Shorter trainings are over before timing different ways of running them would pay."""


def measure_network(bench: Bench, graph: Graph, recipe: Recipe, evaluation: int) -> float:
    """Train and validate a network, put all its measurements and its weights on record, and return its Dice.

    Training goes on from the evaluation's last checkpoint, where there is one, whoever made it.

    Raises:
        KeyboardInterrupt: stopped; a checkpoint of the last step is kept.
    """
    network = build(graph, seed=bench.seed).to(bench.device)
    with _temporary_folder() as folder, deferred() as stop:
        plan = _trained(bench, network, recipe, evaluation, folder, stop)
        # From here on it takes seconds, and the last checkpoint holds all that is needed to do it again.
        if not stop.asked:
            return _validated(bench, network, recipe, evaluation, plan, folder, stop)
    raise AssertionError("a request to stop is obeyed")


def _trained(bench: Bench, network: Network, recipe: Recipe, evaluation: int, folder: Path, stop: Stop) -> StepPlan:
    study, last = bench.study, time.monotonic()

    def report(epoch: Epoch) -> None:
        study.measure(evaluation, _of_epoch(epoch))

    def step_done(step: int) -> None:
        bench.listener(Working("training", step, recipe.steps))

    def save(step: int, write: Write) -> None:
        nonlocal last
        if stop.asked or time.monotonic() - last > SECONDS_BETWEEN_CHECKPOINTS:
            file = folder / "checkpoint.safetensors"
            with _room_for(file):
                write(file)
            study.keep_checkpoint(evaluation, file)
            last = time.monotonic()
        if stop.asked:
            raise KeyboardInterrupt

    found = study.checkpoint(evaluation)
    plan = None if found or recipe.steps < _FEWEST_STEPS else _timed_plan(bench, network.graph, recipe)
    cases = bench.ground.cases
    options: dict[str, Any] = {
        "targets": cases.targets,
        "seed": bench.seed,
        "report": report,
        "step_done": step_done,
        "save": save,
        "plan": plan,
    }
    try:
        return train(network, cases.training, recipe, resume=found, **options)
    except CheckpointError as error:
        bench.listener(Note(f"training begins again: {error}"))
        network.load_state_dict(build(network.graph, seed=bench.seed).state_dict())
        return train(network, cases.training, recipe, **options)


def _validated(
    bench: Bench, network: Network, recipe: Recipe, evaluation: int, plan: StepPlan, folder: Path, stop: Stop
) -> float:
    def case_done(done: int) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        bench.listener(Working("validating", done, len(cases.validation)))

    cases = bench.ground.cases
    result = validate(
        network,
        cases.validation,
        targets=cases.targets,
        case_done=case_done,
        plan=plan,
        mirrored=recipe.averaged_axes(network.graph.task.axes),
    )
    bench.study.measure(evaluation, _of_validation(result, len(recipe.epoch_ends)))
    file = folder / "weights.safetensors"
    tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    with _room_for(file):
        save_file(tensors, file, {"step_plan": json.dumps(plan.to_json())})
    bench.study.add_artifact(evaluation, WEIGHTS, file)
    return result.dice


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder for files on their way into the study, gone at the end."""
    with _room_for("the folder for temporary files"):
        folder = tempfile.TemporaryDirectory()
    with folder as name:
        yield Path(name)


@contextmanager
def _room_for(what: str | Path) -> Iterator[None]:
    """Tell of a disk that is full, or cannot be written, as what the user can mend: no fault of the network's."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{what} cannot be written ({getattr(error, 'strerror', None) or error}); make room there, or set TMPDIR "
            "to a folder on another disk, and give the same command again: what is finished is kept"
        ) from error


def _timed_plan(bench: Bench, graph: Graph, recipe: Recipe) -> StepPlan | None:
    """How the network runs fastest here; None where a whole batch needs more memory than there is."""
    cases = bench.ground.cases
    try:
        return timed_plan(graph, recipe, cases.training, bench.device, seed=bench.seed, targets=cases.targets)
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
    rows += [Measurement(epoch, "dice", value, class_index=index) for index, value in enumerate(result.per_target, 1)]
    for case, values in result.cases:
        rows += [Measurement(epoch, "dice", value, index, case) for index, value in enumerate(values, 1)]
    for name, means in result.means().items():
        rows += [Measurement(epoch, name, value, class_index=index) for index, value in enumerate(means, 1)]
    return rows
