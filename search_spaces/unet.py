"""Plain U-Nets: depth, widths, convolutions a level, how to go down and up."""

from nas.architecture import (
    Concatenate,
    EncoderDecoder,
    Head,
    Linear,
    MaxPool,
    Stage,
    Strided,
    Style,
    Transposed,
    UpStage,
    mirrored,
)
from nas.architecture.blocks import Plain
from nas.architecture.references import U_NETS
from nas.space import Space, integer, one_of, repeated, settled, shared

WIDTHS = one_of(4, 6, 8, 12, 16, 24, 32, 48, 64)
BLOCK = Plain(convs=integer(1, 3), gradual=one_of(False, True))
DOWN = one_of(MaxPool(), Strided())
UP = one_of(Transposed(kernel=2, keep=shared("up_keeps_channels", one_of(False, True))), Linear())

SPACE = Space(
    name="unet",
    template=EncoderDecoder(
        encoder=(Stage(block=BLOCK), *repeated(Stage(block=BLOCK, down=DOWN), integer(1, 5))),
        decoder=mirrored(UpStage(up=UP, skip=Concatenate(), block=Plain(convs=integer(1, 3))), width=WIDTHS),
        head=Head(deep_supervision=one_of(False, True)),
        style=Style(
            norm=one_of("none", "batch", "instance"),
            activation=one_of("relu", "leaky_relu"),
            conv_bias=settled(False, True),  # searched for nothing: without a norm there is one, and a norm cancels it
            dropout=one_of(0.0, 0.1, 0.2),
        ),
        width=WIDTHS,
        maximum_width=one_of(2048, 320),
    ),
    members=U_NETS,
    description=(__doc__ or "").strip(),
)
