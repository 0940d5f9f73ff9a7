"""A training's state in one file: tensors as safetensors, the rest as JSON in its header. Nothing is unpickled."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from nas.errors import InputError
from nas.network import StepPlan
from nas.training.step import Stepper

FORMAT = 2
"""Goes up whenever a checkpoint is written in another way."""


class CheckpointError(InputError):
    """A file is no checkpoint, is damaged, or belongs to another training."""


@dataclass(frozen=True)
class Progress:
    """How far a training has come.

    `step` steps are done, in so many `seconds`; `losses` and `counts` are the tally of the current epoch so far (see
    `nas.training.loop`).
    """

    step: int
    seconds: float = 0.0
    losses: tuple[float, ...] = ()
    counts: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint file holds; `plan` is how its steps were run."""

    tensors: Mapping[str, Tensor]
    state: Mapping[str, Any]

    @property
    def plan(self) -> StepPlan:
        """How the training's steps are run."""
        return StepPlan.from_json(self.state["plan"])

    @property
    def step(self) -> int:
        """How many steps are done."""
        return int(self.state["step"])


def write_checkpoint(path: Path, stepper: Stepper, progress: Progress, seed: int) -> None:
    """Write a training's state; the file appears whole or not at all, and replaces an earlier one.

    Raises:
        OSError: the folder cannot be written, or its disk is full; an earlier file is left as it was.
    """
    tensors = {f"network.{name}": tensor for name, tensor in stepper.network.state_dict().items()}
    for index, values in stepper.optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": value for name, value in values.items() if value is not None}
    tensors |= {f"average.{index}": tensor for index, tensor in enumerate(stepper.averages)}
    state = {
        "format": FORMAT,
        "graph": stepper.network.graph.digest,
        "recipe": stepper.recipe.digest,
        "seed": seed,
        "regions": _regions(stepper),
        "step": progress.step,
        "seconds": progress.seconds,
        "losses": list(progress.losses),
        "counts": [list(row) for row in progress.counts],
        "averaged": stepper.averaged,
        "scaler": stepper.scaler.state_dict(),
        "plan": stepper.plan.to_json(),
    }
    kept = {name: tensor.detach().contiguous() for name, tensor in tensors.items()}
    _write_atomically(path, kept, {"state": json.dumps(state)})


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint's tensors and state.

    Raises:
        CheckpointError: it is absent, cut short, damaged or of another version.
    """
    return _read(path, whole=True)


def plan_of(path: Path) -> StepPlan:
    """How a checkpoint's steps are run, without reading its tensors.

    Raises:
        CheckpointError: it is absent, cut short, damaged or of another version.
    """
    return _read(path, whole=False).plan


def _read(path: Path, *, whole: bool) -> Checkpoint:
    """A checkpoint, without its tensors where they are not wanted."""
    try:
        with safe_open(path, "pt") as file:
            state = json.loads((file.metadata() or {})["state"])
            names = file.keys() if whole else ()
            tensors = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"checkpoint {path}: found {type(error).__name__} {error}, expected a file written by nas; "
            "start the training anew"
        ) from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        found = state.get("format") if isinstance(state, dict) else state
        raise CheckpointError(f"checkpoint {path}: found format {found!r}, expected {FORMAT}; start the training anew")
    return Checkpoint(tensors, state)


def restore(checkpoint: Checkpoint, stepper: Stepper, seed: int) -> Progress:
    """Bring a fresh training to a checkpoint's state.

    Raises:
        CheckpointError: it is of another network, recipe, seed or regions, or lacks something.
    """
    state = checkpoint.state
    wanted = {
        "graph": stepper.network.graph.digest,
        "recipe": stepper.recipe.digest,
        "seed": seed,
        "regions": _regions(stepper),
    }
    for name, value in wanted.items():
        if state.get(name) != value:
            raise CheckpointError(f"checkpoint {name}: found {state.get(name)!r}, expected {value!r}; it is another's")
    try:
        stepper.network.load_state_dict(_below(checkpoint.tensors, "network."))
        _restore_optimiser(checkpoint.tensors, stepper)
        averages = _below(checkpoint.tensors, "average.")
        with torch.no_grad():
            for index, tensor in enumerate(stepper.averages):
                tensor.copy_(averages[str(index)])
        stepper.scaler.load_state_dict(state["scaler"])
        stepper.resume(int(state["averaged"]))
        counts = tuple(tuple(int(count) for count in row) for row in state["counts"])
        losses = tuple(float(loss) for loss in state["losses"])
        return Progress(int(state["step"]), float(state["seconds"]), losses, counts)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"checkpoint: {type(error).__name__} {error}; expected the whole state of this training, start it anew"
        ) from None


def _regions(stepper: Stepper) -> list[list[int]] | None:
    """The regions that are trained; None where there are none, and in files written before there could be any."""
    return [list(region) for region in stepper.targets.regions] or None


def _restore_optimiser(tensors: Mapping[str, Tensor], stepper: Stepper) -> None:
    parameters = [parameter for group in stepper.optimiser.param_groups for parameter in group["params"]]
    values: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _below(tensors, "optimiser.").items():
        index, _, field = name.partition(".")
        parameter = parameters[int(index)] if int(index) < len(parameters) else None
        if parameter is None:
            raise ValueError(f"an optimiser's state for {int(index) + 1} tensors, where there are {len(parameters)}")
        if tensor.shape == parameter.shape and tensor.ndim:
            # Laid out as its weight, since fused kernels go through both in the order of memory.
            tensor = torch.empty_like(parameter, dtype=tensor.dtype, requires_grad=False).copy_(tensor)
        values.setdefault(int(index), {})[field] = tensor
    document = {"state": values, "param_groups": stepper.optimiser.state_dict()["param_groups"]}
    stepper.optimiser.load_state_dict(cast(Any, document))


def _below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _write_atomically(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    try:
        try:
            save_file(tensors, name, metadata)
        except SafetensorError as error:
            raise OSError(f"checkpoint {path}: {error}") from error
        with open(name, "rb") as file:
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
