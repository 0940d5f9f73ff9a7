"""A network measured on whole validation cases, on the grid that they were stored on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import torch
from torch import Tensor

from nas.graph import Axes, Task
from nas.network import Network, StepPlan
from nas.network.running import arranged, is_out_of_memory, runner
from nas.training import metrics
from nas.training.inference import Forward, averaged, predict
from nas.training.memory import release
from nas.training.samples import Sample
from nas.training.step import OutOfMemoryError
from nas.training.targets import EACH_CLASS, Targets
from nas.training.windows import Window

Values = tuple[tuple[float, ...], ...]
"""Of one metric: for each case the value of each target."""


@dataclass(frozen=True)
class Validation:
    """Metrics on whole validation cases (see `nas.training.metrics` for what absent structures count).

    `cases` holds Dice per case and target, `per_target` and `dice` its means; `further` the other metrics by
    name, cases in the same order. `missed` are the targets, counted from 0, that labels have and no prediction.
    """

    cases: tuple[tuple[str, tuple[float, ...]], ...]
    per_target: tuple[float, ...]
    dice: float
    further: Mapping[str, Values] = field(default_factory=dict)
    missed: tuple[int, ...] = ()

    def means(self) -> dict[str, tuple[float, ...]]:
        """The mean over cases of each further metric, per target."""
        return {name: tuple(metrics.mean_per_target(values)) for name, values in self.further.items()}


def validate(
    network: Network | Sequence[Network],
    samples: Sequence[Sample],
    *,
    case_done: Callable[[int], None] = lambda _: None,
    plan: StepPlan | None = None,
    window: Window | None = None,
    mirrored: Axes = (),
    tolerance: float | None = None,
    targets: Targets = EACH_CLASS,
) -> Validation:
    """Segment whole cases and compare them with their labels.

    Args:
        network: on its device; it is left in evaluation mode. Of several, for one task, the probabilities are averaged.
        samples: the cases.
        case_done: hears how many are done.
        plan: how the network is run; what it says of training is not used.
        window: what is seen at once; by default windows of the size of training patches, half overlapping.
        mirrored: axes; predictions are averaged over the image mirrored along every set of them.
        tolerance: of surface Dice in mm; with it come the metrics of surfaces, which take much longer than Dice.
        targets: what is scored; the network's classes, or regions of them.

    Raises:
        OutOfMemoryError: a window of an image does not fit in memory.
    """
    networks = (network,) if isinstance(network, Network) else tuple(network)
    task, device = networks[0].graph.task, next(networks[0].parameters()).device
    # Whole cases differ in size, and each size would be compiled anew, if at all.
    plan = replace(plan or StepPlan(), compiled=False)
    forward = averaged([cast(Forward, runner(arranged(member.eval(), plan), plan)) for member in networks])
    window = window or Window(task.patch)
    rows: list[tuple[str, tuple[float, ...]]] = []
    voxels = torch.zeros((), dtype=torch.int64)
    further: dict[str, list[tuple[float, ...]]] = {"iou": [], "volume_error": []}
    if tolerance is not None:
        further |= {"hausdorff95": [], "surface_dice": []}
    for sample in samples:
        predicted = _predicted(forward, sample, task, device, window, mirrored)
        predicted, label = _on_original_grid(sample, predicted)
        table = metrics.counts(predicted, label, task.classes, targets)
        rows.append((sample.name, tuple(metrics.dice(table))))
        voxels = voxels + table.cpu()
        further["iou"].append(tuple(metrics.iou(table)))
        further["volume_error"].append(tuple(metrics.volume_error(table)))
        if tolerance is not None:
            spacing = sample.spacing if sample.original is None else sample.original.original_spacing
            found = metrics.surfaces(predicted, label, task.classes, spacing, tolerance, targets)
            further["hausdorff95"].append(found.hausdorff95)
            further["surface_dice"].append(found.surface_dice)
        case_done(len(rows))
    per_target = tuple(metrics.mean_per_target([values for _, values in rows]))
    others = {name: tuple(values) for name, values in further.items()}
    table_of_voxels = voxels.tolist() if rows else []
    missed = tuple(
        index for index, (_, predicted, labelled) in enumerate(table_of_voxels) if labelled and not predicted
    )
    return Validation(tuple(rows), per_target, metrics.mean_dice(per_target), others, missed)


def _predicted(
    forward: Callable[[Tensor], Tensor],
    sample: Sample,
    task: Task,
    device: torch.device,
    window: Window,
    mirrored: Axes,
) -> Tensor:
    """Class indices of a case. Raises OutOfMemoryError where a window does not fit in memory."""
    size, slicing = tuple(sample.label.shape), sample.slicing
    seen = size if slicing is None else size[: slicing.axis] + size[slicing.axis + 1 :]
    try:
        return predict(
            forward,
            sample.image.to(device),
            window.over(seen, task),
            slicing=slicing,
            mirrored=mirrored,
            overlap=window.overlap,
        )
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        reason = str(error).splitlines()[0]
    release(device)
    raise OutOfMemoryError(sample.bytes, f"segmenting case {sample.name}: {reason}")


def _on_original_grid(sample: Sample, predicted: Tensor) -> tuple[Tensor, Tensor]:
    """A prediction and its label, where the case came from."""
    if sample.original is None:
        return predicted, sample.label.to(predicted.device)
    restored, label = sample.original.restore(predicted.cpu().numpy()), sample.original.original_label()
    return torch.from_numpy(np.array(restored)), torch.from_numpy(np.array(label))
