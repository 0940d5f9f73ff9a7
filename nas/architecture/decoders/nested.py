"""A decoder that fills the triangle between encoder and decoder with blocks."""

from dataclasses import dataclass

from nas.architecture.blocks.plain import Plain
from nas.architecture.part import Block, Features, Site, call, strides_at, tensor, width_field
from nas.architecture.upsampling import Nearest, Upsampling
from nas.graph import Ops, Tensor


@dataclass(frozen=True)
class Nested:
    """At each level as many blocks as there are levels below; each is given all before it and the one below.

    U-Net++ (Zhou et al. 2018, arXiv:1807.10165). The last block of a level has the decoder's width, `width` at full
    resolution and twice as wide at each level below; those before it have the width of the encoder's feature. A level
    without a feature has its last block alone.
    """

    block: Block = Plain()
    up: Upsampling = Nearest()
    width: int = width_field(16)

    def __call__(self, x: Tensor, features: Features, ops: Ops, maximum: int) -> tuple[Tensor, ...]:
        """Write the decoder; returns the last tensor of each level, finest first."""
        depth = max(features)
        # By level, all of its tensors so far: first the encoder's feature, if it has one.
        rows = {level: [features[level]] if level in features else [] for level in range(depth)} | {depth: [x]}
        for column in range(1, depth + 1):
            for level in range(depth - column, -1, -1):
                last = level + column == depth
                if last or level in features:
                    width = min(self.width * 2**level, maximum) if last else features[level].channels
                    with ops.scope(f"decoder.{level}.{column}", self):
                        rows[level].append(self._block(rows[level + 1][column - 1], rows[level], level, ops, width))
        return tuple(rows[level][-1] for level in range(depth)) or (x,)

    def _block(self, below: Tensor, row: list[Tensor], level: int, ops: Ops, width: int) -> Tensor:
        strides = row[0].strides if row else strides_at(level, ops)
        with ops.scope("up", self.up):
            x = tensor(call(self.up, below, ops, width, strides, ops=ops), ops, strides)
        x = ops.concat(*row, x)
        with ops.scope("block", self.block):
            return tensor(call(self.block, x, ops, Site(width, (1,) * ops.task.axes), ops=ops), ops)
