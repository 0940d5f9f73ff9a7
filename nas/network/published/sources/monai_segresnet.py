"""MONAI's SegResNet."""

import re

from nas.network.published.layout import Ends, Layout, Names, Rule, nth, only


def _down(match: re.Match[str], ends: Ends) -> Names:
    """The first of a level goes down, the others are its units."""
    stage, unit, kind, number = match.groups()
    return f"encoder.{stage}.block.{int(unit) - 1}.{nth(kind, number)}"


def _up(match: re.Match[str], ends: Ends) -> Names:
    stage, unit, kind, number = match.groups()
    return f"decoder.{stage}.block.{unit}.{nth(kind, number)}"


_RULES: tuple[Rule, ...] = (
    (r"convInit\.conv", only("stem.conv")),
    (r"down_layers\.(\d+)\.0\.conv", only("encoder.{0}.down.conv")),
    (r"down_layers\.(\d+)\.(\d+)\.(conv|norm)([12])(?:\.conv)?", _down),
    (r"up_layers\.(\d+)\.(\d+)\.(conv|norm)([12])(?:\.conv)?", _up),
    (r"up_samples\.(\d+)\.0\.conv", only("decoder.{0}.up.conv")),
    (r"conv_final\.0", only("head.norm")),
    (r"conv_final\.2\.conv", only("head.conv")),
)

LAYOUT = Layout("MONAI's SegResNet", _RULES)
