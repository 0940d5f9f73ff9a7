"""The blocks, one file a family. A block of your own is a class like these in a file of your own."""

from nas.architecture.blocks.attention import SplitAttention, SqueezeExcite
from nas.architecture.blocks.dense import Dense
from nas.architecture.blocks.dilated import Dilated
from nas.architecture.blocks.mednext import MedNext
from nas.architecture.blocks.plain import Merge, Plain
from nas.architecture.blocks.residual import Basic, Bottleneck, PreActivation
from nas.architecture.blocks.vnet import VNet, VNetInput

__all__ = [
    "Basic",
    "Bottleneck",
    "Dense",
    "Dilated",
    "MedNext",
    "Merge",
    "Plain",
    "PreActivation",
    "SplitAttention",
    "SqueezeExcite",
    "VNet",
    "VNetInput",
]
