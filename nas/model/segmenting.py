"""One image, segmented: prepared as in training, seen through windows, put back on its own grid."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nas.data import Image, Prepared, Volume, prepare_image
from nas.errors import InputError
from nas.model.trained import TrainedModel
from nas.network import Network, StepPlan
from nas.network.running import arranged, is_out_of_memory, runner
from nas.training.inference import Forward, Place, averaged, parts

CPU = torch.device("cpu")


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What a model sees in an image, on the image's own grid.

    classes: indices, uint8, (*spatial). probabilities: of each class, float32, (classes, *spatial), where asked for.
    image: what was segmented. names: of the classes, background first.
    """

    classes: npt.NDArray[np.uint8]
    probabilities: npt.NDArray[np.float32] | None = None
    image: Image | None = field(default=None, repr=False)
    names: tuple[str, ...] = ()

    def _repr_html_(self) -> str | None:
        """What a notebook shows: planes of the image with the outlines of what is seen there."""
        from nas.data.drawing.notebook import volume_html

        if self.image is None:
            return None
        return volume_html(Volume(self.image.voxels, self.classes, self.image.geometry), self.names)


class Segmenter:
    """A model on a device, ready to segment image after image.

    Args:
        model: what segments.
        device: that runs it.
        overlap: of windows of the patch's size; by default images are seen as in validation.
    """

    def __init__(self, model: TrainedModel, device: torch.device = CPU, *, overlap: float | None = None):
        self.model, self.device, self.overlap = model, device, overlap
        self.scores = averaged([_forward(network.to(device), model.plan, device) for network in model.networks()])
        """What the windows of images are given to."""

    def __call__(self, image: Image, *, probabilities: bool = False) -> Segmentation:
        """Segment one image.

        Args:
            image: of the model's channels.
            probabilities: whether to give them too; they take the image's memory once for each class.

        Raises:
            InputError: its axes or channels are not the model's, or there is no memory for it.
        """
        model, prepared = self.model, self.prepared(image)
        size = prepared.image.shape[1:]
        classes = np.empty(size, np.uint8)
        kept = np.empty((len(model.classes), *size), np.float32) if probabilities else None
        for place, found in self._parts(torch.from_numpy(prepared.image)):
            classes[place] = found.argmax(0).to(torch.uint8).cpu().numpy()
            if kept is not None:
                kept[(slice(None), *place)] = found.cpu().numpy()
        outside = [1.0, *[0.0] * (len(model.classes) - 1)]
        return Segmentation(
            prepared.placement.restore(classes),
            None if kept is None else prepared.placement.restore_values(kept, outside),
            image,
            tuple(model.classes),
        )

    def prepared(self, image: Image) -> Prepared:
        """An image as the network sees it.

        Raises:
            InputError: its axes or channels are not the model's.
        """
        expect_fitting(self.model, image)
        return prepare_image(image.voxels, image.geometry, self.model.preprocessing)

    def _parts(self, image: Tensor) -> Iterator[tuple[Place, Tensor]]:
        model, size = self.model, list(image.shape[1:])
        if model.slicing is not None:
            del size[model.slicing.axis]
        # As in validation, unless another overlap is wished.
        windows = replace(model.windows, size=model.task.patch) if self.overlap is not None else model.windows
        try:
            yield from parts(
                self.scores,
                image.to(self.device),
                windows.over(tuple(size)),
                slicing=model.slicing,
                mirrored=model.mirrored,
                overlap=windows.overlap if self.overlap is None else self.overlap,
            )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error).splitlines()[0]
            raise InputError(
                f"image of {'x'.join(map(str, image.shape[1:]))} voxels: there is no memory for it on {self.device} "
                f"({reason}); free some, or use --device cpu"
            ) from None


def segment(
    model: TrainedModel, image: Image, *, device: torch.device = CPU, probabilities: bool = False
) -> Segmentation:
    """Segment one image; for many, `Segmenter` sets the networks up once.

    Args:
        model: what segments.
        image: of the model's channels, on any grid.
        device: that runs it.
        probabilities: whether to give them too.

    Raises:
        InputError: the image's axes or channels are not the model's, or there is no memory for it.
    """
    return Segmenter(model, device)(image, probabilities=probabilities)


def expect_fitting(model: TrainedModel, image: Image) -> None:
    """Refuse an image that the model cannot take."""
    channels, axes = len(image.voxels), image.voxels.ndim - 1
    if axes != model.axes:
        raise InputError(f"image: is {axes}D, expected {model.axes}D, as the model was trained on")
    if channels != len(model.channels):
        named = ", ".join(model.channels)
        raise InputError(f"image: found {channels} channels, expected {len(model.channels)} ({named})")


def plan_for(device: torch.device, plan: StepPlan) -> StepPlan:
    """A plan of training as segmenting follows it: nothing compiled, in a precision that the device is fast in."""
    short = plan.precision != "float32"
    if device.type == "cpu":
        fast = not short or (plan.precision == "bfloat16" and torch.ops.mkldnn._is_mkldnn_bf16_supported())
    else:
        fast = not short or plan.precision == "float16" or torch.cuda.is_bf16_supported()
    return replace(plan, compiled=False, precision=plan.precision if fast else "float32")


def _forward(network: Network, plan: StepPlan, device: torch.device) -> Forward:
    plan = plan_for(device, plan)
    return cast(Forward, runner(arranged(network, plan), plan))
