"""Encoders that one word names: those whose published weights a network may begin with, stem and blocks together.

With a `shared` choice of the word in its parts, a space chooses between whole encoders. They are as wide as published:
what is slimmed is what follows them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from nas.architecture.blocks import Basic, Bottleneck, SplitAttention, SqueezeExcite
from nas.architecture.downsampling import Strided
from nas.architecture.encoder_decoder import Stage
from nas.architecture.part import Block, Site
from nas.architecture.stems import ResNetStem
from nas.graph import Axes, Ops, Tensor
from nas.space import knob

STAGES = 4


@dataclass(frozen=True)
class Encoder:
    """An encoder after a ResNet's stem: the block of each of its stages, of which the first makes `width` channels."""

    width: int
    blocks: tuple[Block, ...]
    deep: bool = False


ENCODERS: Mapping[str, Encoder] = {
    "resnet18": Encoder(64, tuple(Basic(2) for _ in range(STAGES))),
    "resnet34": Encoder(64, tuple(Basic(units) for units in (3, 4, 6, 3))),
    "resnet50": Encoder(256, tuple(Bottleneck(units) for units in (3, 4, 6, 3))),
    "resnet101": Encoder(256, tuple(Bottleneck(units) for units in (3, 4, 23, 3))),
    "seresnet50": Encoder(256, tuple(Bottleneck(units, SqueezeExcite()) for units in (3, 4, 6, 3))),
    "resnest50d": Encoder(256, tuple(SplitAttention(units) for units in (3, 4, 6, 3)), deep=True),
}
"""By the names that torchvision and timm have for them."""


@dataclass(frozen=True)
class EncoderStem:
    """The stem of the encoder that one word names."""

    encoder: str = knob("resnet18", words=tuple(ENCODERS))
    levels: ClassVar[int] = ResNetStem.levels

    def __call__(self, x: Tensor, ops: Ops, strides: tuple[Axes, ...]) -> tuple[Tensor, ...]:
        """Write the stem; returns its feature at half resolution and the pooled one."""
        return ResNetStem(deep=ENCODERS[self.encoder].deep)(x, ops, strides)


@dataclass(frozen=True)
class EncoderBlock:
    """The block that the encoder which one word names has at a stage, as wide as it is there."""

    encoder: str = knob("resnet18", words=tuple(ENCODERS))
    stage: int = knob(0, low=0, high=STAGES - 1)

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        encoder = ENCODERS[self.encoder]
        return encoder.blocks[self.stage](x, ops, replace(site, width=encoder.width * 2**self.stage))


def encoder_stages(encoder: str) -> tuple[Stage, ...]:
    """The stages of the encoder of a name; the name may be a shared choice of several."""
    first, *others = (EncoderBlock(encoder, stage) for stage in range(STAGES))
    return (Stage(first), *(Stage(block, Strided()) for block in others))
