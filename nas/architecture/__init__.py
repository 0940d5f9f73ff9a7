"""What networks are made of: frozen values, free of torch and of the data's sizes."""

from nas.architecture import blocks
from nas.architecture.bridges import ASPP, NonLocal
from nas.architecture.downsampling import AveragePool, Dilate, MaxPool, Strided, Transition
from nas.architecture.encoder_decoder import EncoderDecoder, Head, Mirrored, Stage, UpStage, Wide, mirrored
from nas.architecture.part import LADDER, Block, Site, slim, width_field
from nas.architecture.skips import Add, Concatenate, Gate, GridGate, Project
from nas.architecture.stems import ConvStem, ResNetStem
from nas.architecture.upsampling import Linear, Transposed
from nas.graph import Style

__all__ = [
    "ASPP",
    "LADDER",
    "Add",
    "AveragePool",
    "Block",
    "Concatenate",
    "ConvStem",
    "Dilate",
    "EncoderDecoder",
    "Gate",
    "GridGate",
    "Head",
    "Linear",
    "MaxPool",
    "Mirrored",
    "NonLocal",
    "Project",
    "ResNetStem",
    "Site",
    "Stage",
    "Strided",
    "Style",
    "Transition",
    "Transposed",
    "UpStage",
    "Wide",
    "blocks",
    "mirrored",
    "slim",
    "width_field",
]
