"""Encoders of torchvision and timm, and MONAI's, which are named alike: ResNet, SE-ResNet, ResNeSt."""

import re
from collections.abc import Callable

from nas.network.published.layout import Ends, Layout, Names, Rule, left_out, nth, only


def _deep_stem(match: re.Match[str], ends: Ends) -> Names:
    number, is_norm = divmod(int(match[1]), 3)
    return f"stem.{nth('norm' if is_norm else 'conv', number + 1)}"


def _in_unit(*names: str) -> Callable[[re.Match[str], Ends], Names]:
    """Nodes of a residual unit, whose stage and number are the pattern's first two groups."""
    return lambda match, ends: tuple(f"encoder.{int(match[1]) - 1}.block.{match[2]}.{name}" for name in names)


_UNIT = r"layer(\d+)\.(\d+)\."

RESNET: tuple[Rule, ...] = (
    (r"conv1", only("stem.conv")),
    (r"bn1", lambda match, ends: ("stem.norm_3", "stem.norm")),
    (r"conv1\.(\d)", _deep_stem),
    (_UNIT + r"conv1", _in_unit("conv")),
    (_UNIT + r"bn1", _in_unit("norm")),
    (_UNIT + r"conv2", _in_unit("conv_2")),
    (_UNIT + r"bn2", _in_unit("norm_2")),
    # The second convolution of a unit with split attention is a part of its own.
    (_UNIT + r"conv2\.conv", _in_unit("split.conv")),
    (_UNIT + r"conv2\.bn0", _in_unit("split.norm")),
    (_UNIT + r"conv2\.fc1", _in_unit("split.squeeze")),
    (_UNIT + r"conv2\.bn1", _in_unit("split.norm_2")),
    (_UNIT + r"conv2\.fc2", _in_unit("split.excite")),
    (_UNIT + r"conv3", _in_unit("conv_3", "conv_2")),
    (_UNIT + r"bn3", _in_unit("norm_3", "norm_2")),
    (_UNIT + r"se\.fc1", _in_unit("attention.squeeze")),
    (_UNIT + r"se\.fc2", _in_unit("attention.excite")),
    # A pool may come first.
    (_UNIT + r"downsample\.0", _in_unit("shortcut.conv")),
    (_UNIT + r"downsample\.1", _in_unit("shortcut.norm", "shortcut.conv")),
    (_UNIT + r"downsample\.2", _in_unit("shortcut.norm")),
)

LAYOUT = Layout("torchvision and timm", (*RESNET, (r"fc", left_out)), is_encoder=True)
