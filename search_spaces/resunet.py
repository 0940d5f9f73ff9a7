"""Residual U-Nets: basic, bottleneck and pre-activation units over a plain or a ResNet stem."""

from nas.architecture import (
    Add,
    Concatenate,
    ConvStem,
    EncoderDecoder,
    Head,
    Linear,
    MaxPool,
    ResNetStem,
    Stage,
    Strided,
    Style,
    Transposed,
    UpStage,
    mirrored,
)
from nas.architecture.blocks import Basic, Bottleneck, Plain, PreActivation, SqueezeExcite
from nas.architecture.references import RESIDUAL, RESIDUAL_U_NET
from nas.space import Space, integer, one_of, repeated

WIDTHS = one_of(4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
ATTENTION = one_of(None, SqueezeExcite())
ENCODER_BLOCKS = one_of(
    Basic(units=integer(1, 6), attention=ATTENTION),
    Bottleneck(units=integer(1, 23, log=True), attention=ATTENTION),
    PreActivation(units=integer(1, 4)),
)

SPACE = Space(
    name="resunet",
    template=EncoderDecoder(
        stem=one_of(None, ConvStem(width=WIDTHS, norm_act=True), ResNetStem(width=WIDTHS)),
        encoder=(
            Stage(block=ENCODER_BLOCKS),
            *repeated(Stage(block=ENCODER_BLOCKS, down=one_of(MaxPool(), Strided())), integer(1, 4)),
        ),
        decoder=mirrored(
            UpStage(
                up=one_of(Transposed(), Linear()),
                skip=one_of(Concatenate(), Add()),
                block=one_of(
                    Plain(convs=integer(1, 2)), Basic(units=integer(1, 2)), PreActivation(units=integer(1, 2))
                ),
            ),
            width=WIDTHS,
        ),
        head=Head(deep_supervision=one_of(False, True)),
        style=Style(norm=one_of("batch", "instance"), activation=one_of("relu", "leaky_relu")),
        width=WIDTHS,
    ),
    members=RESIDUAL + RESIDUAL_U_NET,
    description=(__doc__ or "").strip(),
)
