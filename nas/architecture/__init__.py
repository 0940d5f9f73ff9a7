"""What networks are made of: frozen values, free of torch and of the data's sizes."""

from nas.architecture import blocks
from nas.architecture.bridges import ASPP, Bridge, NonLocal
from nas.architecture.decoders import Linked, Nested
from nas.architecture.downsampling import (
    AveragePool,
    Dilate,
    Downsampling,
    MaxPool,
    MedNextDown,
    Strided,
    StridedConv,
    Transition,
)
from nas.architecture.encoder_decoder import EncoderDecoder, Mirrored, Stage, UpStage, Wide, mirrored
from nas.architecture.heads import Head, Outputs
from nas.architecture.part import LADDER, Block, Decoder, Features, Site, depth_field, slim, strides_at, width_field
from nas.architecture.skips import Add, Concatenate, Gate, GridGate, Project, Skip
from nas.architecture.stems import ConvStem, ResNetStem, Stem
from nas.architecture.upsampling import Linear, MedNextUp, Nearest, Transposed, Upsampling
from nas.graph import Style

__all__ = [
    "ASPP",
    "LADDER",
    "Add",
    "AveragePool",
    "Block",
    "Bridge",
    "Concatenate",
    "ConvStem",
    "Decoder",
    "Dilate",
    "Downsampling",
    "EncoderDecoder",
    "Features",
    "Gate",
    "GridGate",
    "Head",
    "Linear",
    "Linked",
    "MaxPool",
    "MedNextDown",
    "MedNextUp",
    "Mirrored",
    "Nearest",
    "Nested",
    "NonLocal",
    "Outputs",
    "Project",
    "ResNetStem",
    "Site",
    "Skip",
    "Stage",
    "Stem",
    "Strided",
    "StridedConv",
    "Style",
    "Transition",
    "Transposed",
    "UpStage",
    "Upsampling",
    "Wide",
    "blocks",
    "depth_field",
    "mirrored",
    "slim",
    "strides_at",
    "width_field",
]
