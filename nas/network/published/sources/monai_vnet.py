"""MONAI's VNet, whose levels are named by how many channels they have."""

import re
from collections.abc import Callable
from math import log2

from nas.network.published.layout import Ends, Layout, Names, Rule, only

_CONV = r"conv_block\.(conv|adn\.N)"
_LAYER = {"conv": "conv", "adn.N": "norm"}


def _down(name: str) -> Callable[[re.Match[str], Ends], Names]:
    return lambda match, ends: f"encoder.{round(log2(int(match[1]) / 16))}.{name}"


def _up(name: str) -> Callable[[re.Match[str], Ends], Names]:
    return lambda match, ends: f"decoder.{ends.decoder - round(log2(int(match[1]) / 32))}.{name}"


def _inner(stage: Callable[[str], Callable[[re.Match[str], Ends], Names]]) -> Callable[[re.Match[str], Ends], Names]:
    return lambda match, ends: stage(f"block.{match[2]}.{_LAYER[match[3]]}")(match, ends)


_RULES: tuple[Rule, ...] = (
    (r"in_tr\." + _CONV, lambda match, ends: f"encoder.0.block.{_LAYER[match[1]]}"),
    (r"down_tr(\d+)\.down_conv", _down("down.conv")),
    (r"down_tr(\d+)\.bn1", _down("down.norm")),
    (r"down_tr(\d+)\.ops\.(\d+)\." + _CONV, _inner(_down)),
    (r"up_tr(\d+)\.up_conv", _up("up.up")),
    (r"up_tr(\d+)\.bn1", _up("up.norm")),
    (r"up_tr(\d+)\.ops\.(\d+)\." + _CONV, _inner(_up)),
    (r"out_tr\." + _CONV, lambda match, ends: f"head.{_LAYER[match[1]]}"),
    (r"out_tr\.conv2", only("head.conv_2")),
)

LAYOUT = Layout("MONAI's VNet", _RULES, reversed=r"decoder\.\d+\.skip\.concat")
