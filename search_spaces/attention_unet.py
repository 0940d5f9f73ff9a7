"""U-Nets with attention: gates on skips in both published forms, squeeze-and-excite, split attention, non-local."""

from nas.architecture import (
    Concatenate,
    EncoderDecoder,
    Gate,
    GridGate,
    Linear,
    MaxPool,
    NonLocal,
    ResNetStem,
    Stage,
    Strided,
    Style,
    Transposed,
    UpStage,
    mirrored,
)
from nas.architecture.blocks import Basic, Bottleneck, Merge, Plain, SplitAttention, SqueezeExcite
from nas.architecture.references import ATTENTION
from nas.space import Space, integer, one_of, repeated, settled

WIDTHS = one_of(4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
BLOCKS = one_of(
    Plain(convs=integer(1, 3)),
    Basic(units=integer(1, 4), attention=SqueezeExcite()),
    Bottleneck(units=integer(1, 6), attention=SqueezeExcite()),
    SplitAttention(units=integer(1, 6)),
)
UP = one_of(Transposed(kernel=one_of(2, 3), norm_act=one_of(False, True)), Linear())

SPACE = Space(
    name="attention_unet",
    template=EncoderDecoder(
        stem=one_of(None, ResNetStem(width=WIDTHS, deep=one_of(False, True))),
        encoder=(
            Stage(block=BLOCKS),
            *repeated(Stage(block=BLOCKS, down=one_of(MaxPool(), Strided())), integer(1, 4)),
        ),
        bridge=one_of(None, NonLocal()),
        decoder=mirrored(
            UpStage(
                up=UP,
                skip=one_of(Concatenate(), Gate(), GridGate()),
                block=one_of(Plain(convs=integer(1, 2)), Merge()),
            ),
            width=WIDTHS,
        ),
        style=Style(
            norm=one_of("batch", "instance"),
            activation=one_of("relu", "leaky_relu"),
            conv_bias=settled(False, True),  # searched for nothing: without a norm there is one, and a norm cancels it
        ),
        width=WIDTHS,
    ),
    members=ATTENTION,
    description=(__doc__ or "").strip(),
)
