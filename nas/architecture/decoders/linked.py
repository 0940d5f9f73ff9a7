"""A decoder of narrow steps that are added to the encoder's features."""

from dataclasses import dataclass

from nas.architecture.part import Features, strides_at, width_field, window
from nas.graph import Axes, Ops, Tensor


@dataclass(frozen=True)
class Linked:
    """Each step narrows, grows and widens to the channels of the encoder's feature, and adds it.

    LinkNet (Chaurasia and Culurciello 2017, arXiv:1707.03718): a 1x1 convolution to a quarter of the channels, a 4x4
    up-convolution and a 1x1, each with norm and activation. `width` is that of a level without a feature.
    """

    width: int = width_field(32)

    def __call__(self, x: Tensor, features: Features, ops: Ops, maximum: int) -> tuple[Tensor, ...]:
        """Write the decoder; returns every step's tensor, finest first."""
        tensors = [x]
        for index, level in enumerate(reversed(range(max(features)))):
            feature = features.get(level)
            with ops.scope(f"decoder.{index}", self):
                if feature is None:
                    x = _climb(x, ops, min(self.width, maximum), strides_at(level, ops))
                else:
                    x = ops.add(_climb(x, ops, feature.channels, feature.strides), feature)
            tensors.insert(0, x)
        return tuple(tensors[:-1]) or (x,)


def _climb(x: Tensor, ops: Ops, width: int, strides: Axes) -> Tensor:
    factor = ops.factor(x, strides)
    inside = max(x.channels // 4, 1)
    x = ops.conv_norm_act(x, inside, 1)
    kernel = tuple(max(size, step) for size, step in zip(window(4, factor), factor, strict=True))
    x = ops.act(ops.norm(ops.transposed_conv(x, inside, kernel, stride=factor)))
    return ops.conv_norm_act(x, width, 1)
