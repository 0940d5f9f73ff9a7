"""Networks of segmentation-models-pytorch over ResNet encoders: U-Net, U-Net++, LinkNet, DeepLabv3+."""

import re

from nas.network.published.layout import Ends, Layout, Names, Rule, nth, only
from nas.network.published.sources.torchvision import RESNET


def _nested(match: re.Match[str], ends: Ends) -> Names:
    """A block of U-Net++, named by how far from the coarsest level its path and it begin."""
    path, block, number, kind = match.groups()
    level, column = ends.decoder - int(block), int(block) - int(path) + 1
    return f"decoder.{level}.{column}.block.{int(number) - 1}.{('conv', 'norm')[int(kind)]}"


def _climbing(match: re.Match[str], ends: Ends) -> Names:
    """A layer of U-Net's decoder."""
    return f"decoder.{match[1]}.block.{int(match[2]) - 1}.{('conv', 'norm')[int(match[3])]}"


def _linked(match: re.Match[str], ends: Ends) -> Names:
    """A layer of LinkNet's decoder: a convolution, an up-convolution, a convolution, a norm after each."""
    stage, place, kind = match[1], int(match[2]), match[3]
    if kind == "1":
        return f"decoder.{stage}.{nth('norm', place + 1)}"
    return f"decoder.{stage}.{('conv', 'up', 'conv_2')[place]}"


_POOLING = (
    (r"decoder\.aspp\.0\.convs\.0\.0", only("bridge.branches.0.conv")),
    (r"decoder\.aspp\.0\.convs\.0\.1", only("bridge.branches.0.norm")),
    (r"decoder\.aspp\.0\.convs\.([123])\.0", only("bridge.branches.{0}.conv")),
    (r"decoder\.aspp\.0\.convs\.([123])\.0\.0", only("bridge.branches.{0}.depthwise")),
    (r"decoder\.aspp\.0\.convs\.([123])\.0\.1", only("bridge.branches.{0}.pointwise")),
    (r"decoder\.aspp\.0\.convs\.([123])\.1", only("bridge.branches.{0}.norm")),
    (r"decoder\.aspp\.0\.convs\.4\.1", only("bridge.image.conv")),
    (r"decoder\.aspp\.0\.convs\.4\.2", only("bridge.image.norm")),
    (r"decoder\.aspp\.0\.project\.0", only("bridge.project.conv")),
    (r"decoder\.aspp\.0\.project\.1", only("bridge.project.norm")),
    (r"decoder\.aspp\.1\.0", only("bridge.refine.depthwise")),
    (r"decoder\.aspp\.1\.1", only("bridge.refine.pointwise")),
    (r"decoder\.aspp\.2", only("bridge.refine.norm")),
    (r"decoder\.block1\.0", only("decoder.low.conv")),
    (r"decoder\.block1\.1", only("decoder.low.norm")),
    (r"decoder\.block2\.0\.0", only("decoder.block.0.depthwise")),
    (r"decoder\.block2\.0\.1", only("decoder.block.0.pointwise")),
    (r"decoder\.block2\.1", only("decoder.block.0.norm")),
)
_RULES: tuple[Rule, ...] = (
    # Not timm's encoders (tu-...), whose names are one level deeper: they dilate the first unit of a stage less than
    # the others, which no name or shape would show.
    *((rf"encoder\.{pattern}", name) for pattern, name in RESNET),
    *_POOLING,
    (r"decoder\.blocks\.x_(\d+)_(\d+)\.conv([12])\.([01])", _nested),
    (r"decoder\.blocks\.(\d+)\.conv([12])\.([01])", _climbing),
    (r"decoder\.blocks\.(\d+)\.block\.([012])\.([01])", _linked),
    (r"segmentation_head\.0", only("head.conv")),
)

LAYOUT = Layout("segmentation-models-pytorch", _RULES, reversed=r"decoder\.(.*\.)?concat")
