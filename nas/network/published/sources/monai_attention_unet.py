"""MONAI's AttentionUnet, whose levels stand inside each other."""

import re
from collections.abc import Callable

from nas.network.published.layout import Ends, Layout, Names, Rule, only

_LEVEL = r"model\.1((?:\.submodule\.1)*)\."
_LAYER = {"conv": "conv", "adn.N": "norm", "adn.A": "act"}


def _depth(match: re.Match[str]) -> int:
    return match[1].count("submodule")


def _down(match: re.Match[str], ends: Ends) -> Names:
    return f"encoder.{_depth(match) + 1}.block.{match[2]}.{_LAYER[match[3]]}"


def _up(name: str) -> Callable[[re.Match[str], Ends], Names]:
    return lambda match, ends: f"decoder.{ends.decoder - _depth(match)}.{name}"


_RULES: tuple[Rule, ...] = (
    (r"model\.0\.conv\.(\d)\.conv", only("encoder.0.block.{0}.conv")),
    (r"model\.0\.conv\.(\d)\.adn\.N", only("encoder.0.block.{0}.norm")),
    (_LEVEL + r"submodule\.(?:0\.)?conv\.(\d)\.(conv|adn\.N)", _down),
    (_LEVEL + r"attention\.W_g\.0\.conv", _up("skip.gating")),
    (_LEVEL + r"attention\.W_g\.1", _up("skip.gating_norm")),
    (_LEVEL + r"attention\.W_x\.0\.conv", _up("skip.feature")),
    (_LEVEL + r"attention\.W_x\.1", _up("skip.feature_norm")),
    (_LEVEL + r"attention\.psi\.0\.conv", _up("skip.weights")),
    (_LEVEL + r"attention\.psi\.1", _up("skip.weights_norm")),
    (_LEVEL + r"upconv\.up\.conv", _up("up.up")),
    (_LEVEL + r"upconv\.up\.adn\.N", _up("up.norm")),
    (_LEVEL + r"merge\.conv", _up("block.conv")),
    (_LEVEL + r"merge\.adn\.A", _up("block.act")),
    (r"model\.2\.conv", only("head.conv")),
)

LAYOUT = Layout("MONAI's AttentionUnet", _RULES)
