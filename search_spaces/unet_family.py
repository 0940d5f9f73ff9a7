"""U-Net, ResNet encoders, Tiramisu, DeepLabv3+ and attention, and everything between them."""

from nas.architecture import (
    ASPP,
    Add,
    AveragePool,
    Concatenate,
    ConvStem,
    Dilate,
    EncoderDecoder,
    Gate,
    GridGate,
    Head,
    Linear,
    MaxPool,
    NonLocal,
    Project,
    ResNetStem,
    Stage,
    Strided,
    Style,
    Transition,
    Transposed,
    UpStage,
    Wide,
    mirrored,
)
from nas.architecture.blocks import (
    Basic,
    Bottleneck,
    Dense,
    Dilated,
    Merge,
    Plain,
    PreActivation,
    SplitAttention,
    SqueezeExcite,
)
from nas.architecture.references import (
    ATTENTION,
    DEEPLAB,
    RESIDUAL,
    RESIDUAL_U_NET,
    TIRAMISU,
    U_NETS,
    alternating,
)
from nas.space import Space, integer, one_of, repeated, shared

WIDTHS = one_of(4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
LAYERS = one_of(2, 3, 4, 5, 7, 10, 12, 15)
GROWTH = shared("growth", one_of(2, 3, 4, 6, 8, 12, 16, 24, 32))
AVERAGED = shared("average_shortcut", one_of(False, True))

ENCODER_BLOCKS = one_of(
    Plain(convs=integer(1, 3), gradual=one_of(False, True)),
    Basic(units=integer(1, 4), attention=one_of(None, SqueezeExcite()), average_shortcut=AVERAGED),
    Bottleneck(units=integer(1, 6), attention=one_of(None, SqueezeExcite()), average_shortcut=AVERAGED),
    PreActivation(units=integer(1, 4)),
    Dense(layers=LAYERS, growth=GROWTH, carry=one_of(True, False)),
    Dilated(convs=integer(2, 4), base=one_of(2, 3)),
    SplitAttention(units=integer(1, 6), radix=one_of(1, 2)),
)
DECODER_BLOCKS = one_of(
    Plain(convs=integer(1, 3)),
    Basic(units=integer(1, 2)),
    PreActivation(units=integer(1, 2)),
    Dense(layers=LAYERS, growth=GROWTH, carry=one_of(True, False)),
    Dilated(convs=integer(2, 3)),
    Merge(),
)

SPACE = Space(
    name="unet_family",
    template=EncoderDecoder(
        stem=one_of(
            None,
            ConvStem(width=WIDTHS, norm_act=one_of(False, True)),
            ResNetStem(width=WIDTHS, deep=one_of(False, True)),
        ),
        encoder=(
            Stage(block=ENCODER_BLOCKS),
            *repeated(
                Stage(
                    block=ENCODER_BLOCKS,
                    down=one_of(MaxPool(), AveragePool(), Strided(), Transition(), Dilate()),
                ),
                integer(1, 5),
            ),
        ),
        bridge=one_of(
            None,
            ASPP(
                rate=one_of(2, 3, 6, 12),
                width=WIDTHS,
                separable=one_of(False, True),
                dropout=one_of(0.1, 0.5),
            ),
            NonLocal(),
        ),
        decoder=one_of(
            mirrored(
                UpStage(
                    up=one_of(
                        Transposed(kernel=one_of(2, 3), keep=one_of(False, True), norm_act=one_of(False, True)),
                        Linear(),
                    ),
                    skip=one_of(None, Concatenate(), Add(), Project(width=WIDTHS), Gate(), GridGate()),
                    block=DECODER_BLOCKS,
                ),
                width=WIDTHS,
            ),
            Wide(
                block=Plain(convs=integer(1, 3), separable=one_of(False, True)),
                width=WIDTHS,
                low_width=WIDTHS,
            ),
        ),
        head=Head(deep_supervision=one_of(False, True)),
        style=Style(
            norm=one_of("none", "batch", "instance"),
            activation=one_of("relu", "leaky_relu", "gelu"),
            conv_bias=one_of(False, True),
            dropout=one_of(0.0, 0.1, 0.2),
        ),
        width=WIDTHS,
        maximum_width=one_of(256, 512, 2048),
    ),
    members=alternating(U_NETS, TIRAMISU, DEEPLAB, ATTENTION, RESIDUAL, RESIDUAL_U_NET),
    description=(__doc__ or "").strip(),
)
