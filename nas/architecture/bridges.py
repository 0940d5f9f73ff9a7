"""What stands between encoder and decoder, at the coarsest resolution."""

from dataclasses import dataclass
from typing import Protocol

from nas.architecture.part import width_field
from nas.graph import Ops, Tensor
from nas.space import knob


class Bridge(Protocol):
    """What stands between encoder and decoder."""

    def __call__(self, x: Tensor, ops: Ops) -> Tensor: ...  # noqa: D102


@dataclass(frozen=True)
class ASPP:
    """Atrous spatial pyramid pooling (DeepLabv3, Chen et al. 2017, arXiv:1706.05587).

    A 1x1 convolution, three 3x3 of dilation `rate`, 2 `rate` and 3 `rate`, and the pooled image, concatenated and
    brought to `width`. `separable` splits the dilated ones and adds one more separable convolution after, as
    segmentation-models-pytorch does for DeepLabv3+. `dropout` is the rate after them.
    """

    rate: int = knob(6, low=1)
    width: int = width_field(256)
    separable: bool = False
    dropout: float = knob(0.5, low=0, below=1)

    def __call__(self, x: Tensor, ops: Ops) -> Tensor:
        """Write the bridge."""
        branches = [self._branch(x, ops, times) for times in range(4)]
        with ops.scope("image"):
            pooled = ops.conv_norm_act(ops.global_pool(x), self.width, 1)
            branches.append(ops.expand(pooled, x))
        with ops.scope("project"):
            x = ops.dropout(ops.conv_norm_act(ops.concat(*branches), self.width, 1), self.dropout)
        if self.separable:
            with ops.scope("refine"):
                x = ops.act(ops.norm(ops.separable_conv(x, self.width)))
        return x

    def _branch(self, x: Tensor, ops: Ops, times: int) -> Tensor:
        with ops.scope(f"branches.{times}"):
            if times == 0:
                return ops.conv_norm_act(x, self.width, 1)
            if self.separable:
                return ops.act(ops.norm(ops.separable_conv(x, self.width, dilation=self.rate * times)))
            return ops.conv_norm_act(x, self.width, dilation=self.rate * times)


@dataclass(frozen=True)
class NonLocal:
    """Every position attends to all others (Wang et al. 2018, arXiv:1711.07971).

    Embedded Gaussian with half the channels inside; its last norm starts at zero, so that it begins as identity.
    Time and memory are quadratic in the number of positions.
    """

    def __call__(self, x: Tensor, ops: Ops) -> Tensor:
        """Write the bridge."""
        inside = max(x.channels // 2, 1)
        query, key, value = (ops.conv(x, inside, 1, bias=True, name=name) for name in ("query", "key", "value"))
        attended = ops.conv(ops.attend(query, key, value), x.channels, 1, bias=True, name="output")
        return ops.add(x, ops.norm(attended, zero=True))
