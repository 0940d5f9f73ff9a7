"""Weights of an encoder brought to another number of channels of the image, and from 2D to 3D."""

from torch import Tensor

from nas.graph import Graph


def for_channels(weight: Tensor, channels: int) -> Tensor:
    """The weight of a convolution that reads an image of so many channels: each has an equal part of their sum.

    Images whose channels are all alike have the same features as before, however many there are: what one channel of
    1 needs is the sum of the published three. Averaged over channels as in Wang et al. 2016, arXiv:1608.00859.

    Shapes: (out, channels there, *kernel) to (out, channels, *kernel).
    """
    return (weight.sum(1, keepdim=True) / channels).expand(-1, channels, *weight.shape[2:]).clone()


def inflated(weight: Tensor, kernel: tuple[int, ...], across: int) -> Tensor:
    """The weight of a 2D convolution in the middle of a 3D kernel that is zero elsewhere along the axis `across`.

    The 3D network then begins by seeing each slice as the 2D one does, and learns to look at neighbours: central frame
    initialisation, which Arnab et al. 2021, arXiv:2103.15691, found better than the same weight at every place, divided
    by their number (I3D, Carreira and Zisserman 2017, arXiv:1705.07750). A volume of equal slices has the features of
    a slice in each of them, at the border too. A kernel of another size is left as it is.

    Shapes: (out, in, *kernel without `across`) to (out, in, *kernel).
    """
    if weight.shape[2:] != kernel[:across] + kernel[across + 1 :]:
        return weight
    volume = weight.new_zeros((*weight.shape[:2], *kernel))
    volume.select(2 + across, kernel[across] // 2).copy_(weight)
    return volume


def across(graph: Graph) -> int:
    """Along which axis of a volume a 2D network sees slices: that of the thickest, or least halved, voxels."""
    spacing, strides = graph.task.spacing or (1.0,) * graph.task.axes, graph.total_stride
    return max(range(graph.task.axes), key=lambda axis: (spacing[axis], -strides[axis], axis))
