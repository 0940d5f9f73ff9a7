"""How a network is run fastest on this device: chosen by a few timed steps, and recorded."""

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

import torch
from torch import Tensor

from nas.errors import InputError
from nas.network.network import Network

Precision = Literal["float32", "bfloat16", "float16"]
Scores = Tensor | tuple[Tensor, ...]

_GAIN = 0.9
"""Another way of running must take at most this share of the time, so that noise in timing changes nothing."""
_WORTH_COMPILING = 400.0
"""Seconds of training from which on compiling is tried on a CPU, where it takes from a third of a minute on."""
_PASSES = (3, 8)
"""Of each way, the first of which sets things up: the fewest, and the most, for long trainings."""
_SETTING_UP = 10.0
"""A first pass that takes so many times as long as a later one of another way is the last one."""
_STEPS_A_PASS = 200
"""So many steps of training are worth one more pass."""
_CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}


@dataclass(frozen=True)
class StepPlan:
    """How steps are run.

    Args:
        channels_last: whether channels are innermost in memory.
        precision: of convolutions and matrix products; weights are float32 always.
        fused: whether the optimiser updates all weights in one kernel.
        compiled: whether the network is compiled (on a GPU into CUDA graphs).
        accumulation: in how many parts a batch is computed.
        segments: into how many parts the network is cut whose inner values are computed again in the backward pass;
            0 keeps all values.
        seconds: of one forward and backward pass when it was chosen; 0 where nothing was timed.
        notes: what was tried, with its seconds or why it was left, for the record.
    """

    channels_last: bool = False
    precision: Precision = "float32"
    fused: bool = True
    compiled: bool = False
    accumulation: int = 1
    segments: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def of_any_size(self) -> "StepPlan":
        """The plan without what belongs to one network's size alone, for others."""
        return replace(self, compiled=False, accumulation=1, segments=0, seconds=0.0, notes=("as another",))

    def to_json(self) -> dict[str, Any]:
        """The plan as plain JSON."""
        return {**asdict(self), "notes": list(self.notes)}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "StepPlan":
        """The plan that `to_json` wrote.

        Raises:
            InputError: the document is none.
        """
        if not isinstance(document, Mapping) or set(document) != {field.name for field in fields(StepPlan)}:
            raise InputError(f"step plan: found {document!r}, expected the fields that nas writes")
        return StepPlan(**{**document, "notes": tuple(document["notes"])})


def default_plan(device: torch.device) -> StepPlan:
    """The plan that nothing was timed for: bfloat16 on GPUs that have it, else float16; on a CPU channels last."""
    if device.type != "cuda":
        return StepPlan(channels_last=True)
    return StepPlan(precision="bfloat16" if torch.cuda.is_bf16_supported() else "float16")


def choose_plan(
    network: Network,
    loss: Callable[[Scores, Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    *,
    steps: int,
    plan: StepPlan | None = None,
) -> StepPlan:
    """Time a few passes in different ways and keep the fastest.

    The network is left as it is: copies of it are timed.

    Args:
        network: on its device.
        loss: of scores and labels.
        images: a batch, or the part of one that is computed at once.
        labels: its class indices.
        steps: how many steps are going to be run, which decides what is worth trying.
        plan: where to start from, by default `default_plan`.

    Raises:
        torch.OutOfMemoryError, RuntimeError: there is no memory for even the first way.
    """
    device = images.device
    best = plan or default_plan(device)
    passes = min(max(steps // _STEPS_A_PASS, _PASSES[0]), _PASSES[1])
    start = _seconds(network, best, loss, images, labels, passes, limit=float("inf"))
    best = replace(best, seconds=start, notes=(f"{_describe(best)}: {start:.4f} s",))
    for change in _candidates(device, best, start * steps):
        candidate = replace(best, **change)
        try:
            seconds = _seconds(network, candidate, loss, images, labels, passes, limit=best.seconds)
        except Exception as error:  # Whatever a compiler or a kernel may raise: the way that works is kept.
            reason = str(error).strip().splitlines() or [type(error).__name__]
            best = replace(best, notes=(*best.notes, f"{_describe(candidate)}: left, {reason[0][:200]}"))
            continue
        notes = (*best.notes, f"{_describe(candidate)}: {seconds:.4f} s")
        faster = seconds < _GAIN * best.seconds
        best = replace(candidate, seconds=seconds, notes=notes) if faster else replace(best, notes=notes)
    return best


def arranged(network: Network, plan: StepPlan) -> Network:
    """The network with its weights laid out, and its segments cut, as the plan says; changed in place."""
    axes = network.graph.task.axes
    layout = _CHANNELS_LAST[axes] if plan.channels_last else torch.contiguous_format
    network.to(memory_format=layout)  # type: ignore[call-overload]
    network.segments = plan.segments
    return network


def runner(network: Network, plan: StepPlan) -> Callable[[Tensor], Scores]:
    """What runs an arranged network on images by the plan."""
    axes, device = network.graph.task.axes, next(network.parameters()).device
    run: Callable[[Tensor], Scores] = network
    if plan.compiled:
        # What was compiled before counts towards a limit beyond which nothing is compiled any more, and its sizes make
        # those of this network open, which is slower and fails for some.
        torch.compiler.reset()
        run = torch.compile(network, dynamic=False, mode="reduce-overhead" if device.type == "cuda" else None)
    kind = torch.float32 if plan.precision == "float32" else getattr(torch, plan.precision)

    def forward(images: Tensor) -> Scores:
        if plan.channels_last:
            images = images.contiguous(memory_format=_CHANNELS_LAST[axes])
        with torch.autocast(device.type, dtype=kind, enabled=plan.precision != "float32"):
            return run(images)

    return forward


def _candidates(device: torch.device, plan: StepPlan, seconds: float) -> list[dict[str, Any]]:
    """What to try besides a plan, one change at a time; `seconds` is how long training takes by that plan."""
    changes: list[dict[str, Any]] = [{"channels_last": not plan.channels_last}]
    if device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported():
        changes.append({"precision": "bfloat16"})
    if device.type == "cuda" or seconds > _WORTH_COMPILING:
        changes.append({"compiled": True})
    return changes


def _seconds(
    network: Network,
    plan: StepPlan,
    loss: Callable[[Scores, Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    passes: int,
    limit: float,
) -> float:
    """Seconds of a forward and backward pass, the least of a few; one alone if it takes far more than `limit`."""
    trial = arranged(copy.deepcopy(network), plan).train()
    forward = runner(trial, plan)
    best = float("inf")
    with torch.random.fork_rng(devices=[images.device] if images.device.type == "cuda" else []):
        for number in range(passes):
            start = time.perf_counter()
            loss(forward(images), labels).backward()
            if images.device.type == "cuda":
                torch.cuda.synchronize(images.device)
            elapsed = time.perf_counter() - start
            trial.zero_grad(set_to_none=True)
            if number == 0 and (plan.compiled or elapsed < _SETTING_UP * limit):
                continue  # kernels are made ready in the first pass
            best = min(best, elapsed)
            if best > 2 * limit:
                break
    return best


def _describe(plan: StepPlan) -> str:
    layout = "channels last" if plan.channels_last else "channels first"
    return f"{layout}, {plan.precision}{', compiled' if plan.compiled else ''}"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that the device, or the machine, has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _NO_MEMORY)


_NO_MEMORY = ("can't allocate memory", "not enough memory", "could not create a primitive", "std::bad_alloc")
"""What torch's allocator says on a CPU, and oneDNN, which has no better words for it."""
