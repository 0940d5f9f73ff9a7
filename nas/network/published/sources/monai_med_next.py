"""MONAI's MedNeXt."""

import re

from nas.network.published.layout import Ends, Layout, Names, Rule, only

_LAYER = {"conv1": "depthwise", "norm": "norm", "conv2": "widen", "conv3": "narrow"}
_LAYERS = r"\.(conv[123]|norm)"


def _in_stage(match: re.Match[str], ends: Ends) -> Names:
    return f"{match[1]}oder.{match[2]}.block.{match[3]}.{_LAYER[match[4]]}"


def _down(match: re.Match[str], ends: Ends) -> Names:
    return f"encoder.{int(match[1]) + 1}.down.{_LAYER.get(match[2], 'shortcut.conv')}"


def _up(match: re.Match[str], ends: Ends) -> Names:
    return f"decoder.{match[1]}.up.{_LAYER.get(match[2], 'shortcut.up')}"


_RULES: tuple[Rule, ...] = (
    (r"stem", only("stem.conv")),
    (r"(enc|dec)_stages\.(\d+)\.(\d+)" + _LAYERS, _in_stage),
    (
        r"bottleneck\.(\d+)" + _LAYERS,
        lambda match, ends: f"encoder.{ends.encoder}.block.{match[1]}.{_LAYER[match[2]]}",
    ),
    (r"down_blocks\.(\d+)\.(conv[123]|norm|res_conv)", _down),
    (r"up_blocks\.(\d+)\.(conv[123]|norm|res_conv)", _up),
    (r"out_0\.conv_out", only("head.conv")),
)

LAYOUT = Layout("MONAI's MedNeXt", _RULES, turned=r"out_\d+\.conv_out")
