"""U-Net, nnU-Net, ResNet encoders, Tiramisu, DeepLabv3+, attention, U-Net++, V-Net and MedNeXt, and all between."""

from nas.architecture import (
    ASPP,
    Add,
    AveragePool,
    Block,
    Concatenate,
    ConvStem,
    Dilate,
    EncoderDecoder,
    Gate,
    GridGate,
    Head,
    Linear,
    Linked,
    MaxPool,
    MedNextDown,
    MedNextUp,
    Nearest,
    Nested,
    NonLocal,
    Project,
    ResNetStem,
    Stage,
    Strided,
    StridedConv,
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
    MedNext,
    Merge,
    Plain,
    PreActivation,
    SplitAttention,
    SqueezeExcite,
    VNet,
    VNetInput,
)
from nas.architecture.references import (
    ATTENTION,
    DEEPLAB,
    LINKED,
    MED_NEXT,
    NESTED,
    RESIDUAL,
    RESIDUAL_ENCODERS,
    RESIDUAL_U_NET,
    TIRAMISU,
    U_NETS,
    VOLUMES,
    alternating,
)
from nas.space import Space, integer, one_of, repeated, settled, shared, weighted

WIDTHS = one_of(4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
LAYERS = one_of(2, 3, 4, 5, 7, 10, 12, 15)
GROWTH = shared("growth", one_of(2, 3, 4, 6, 8, 12, 16, 24, 32))
AVERAGED = shared("average_shortcut", one_of(False, True))
LEAN = shared("lean_shortcut", one_of(False, True))
# One for the whole network: what two published codes do differently is no question at every level anew.
ALIGNED = shared("aligned_corners", one_of(False, True))
CROPPED = shared("cropped", one_of(False, True))
EXPANSION = one_of(2, 3, 4, 8)
KERNEL = shared("depthwise_kernel", one_of(3, 5))

# What is dilated is drawn less than the rest: on most patches it looks further than its map reaches.
ENCODER_BLOCKS: Block = weighted(
    one_of(
        Plain(convs=integer(1, 3), gradual=one_of(False, True)),
        Basic(
            units=integer(1, 6), attention=one_of(None, SqueezeExcite()), average_shortcut=AVERAGED, lean_shortcut=LEAN
        ),
        Bottleneck(units=integer(1, 23, log=True), attention=one_of(None, SqueezeExcite()), average_shortcut=AVERAGED),
        PreActivation(units=integer(1, 4)),
        Dense(layers=LAYERS, growth=GROWTH, carry=one_of(True, False)),
        Dilated(convs=integer(2, 4), base=weighted(one_of(2, 3), 3, 1)),
        SplitAttention(units=integer(1, 6), radix=one_of(1, 2)),
        VNet(convs=integer(1, 3)),
        VNetInput(),
        MedNext(units=integer(1, 8), expansion=EXPANSION, kernel=KERNEL),
    ),
    4,
    4,
    4,
    4,
    4,
    1,
    4,
    4,
    4,
    4,
)
DECODER_BLOCKS: Block = one_of(
    Plain(convs=integer(1, 3)),
    Basic(units=integer(1, 2)),
    PreActivation(units=integer(1, 2)),
    Dense(layers=LAYERS, growth=GROWTH, carry=one_of(True, False)),
    Dilated(convs=integer(2, 3)),
    Merge(),
    VNet(convs=integer(1, 3), keep=one_of(False, True)),
    MedNext(units=integer(1, 8), expansion=EXPANSION, kernel=KERNEL),
)

SPACE = Space(
    name="unet_family",
    template=EncoderDecoder(
        stem=one_of(
            None,
            ConvStem(width=WIDTHS, norm_act=one_of(False, True), kernel=one_of(None, 1)),
            ResNetStem(width=WIDTHS, deep=one_of(False, True)),
        ),
        encoder=(
            Stage(block=ENCODER_BLOCKS),
            *repeated(
                Stage(
                    block=ENCODER_BLOCKS,
                    down=weighted(
                        one_of(
                            MaxPool(),
                            AveragePool(),
                            Strided(),
                            Transition(),
                            Dilate(),
                            StridedConv(kernel=one_of(2, 3), norm_act=one_of(False, True)),
                            MedNextDown(expansion=EXPANSION, kernel=KERNEL),
                        ),
                        4,
                        4,
                        4,
                        4,
                        1,
                        4,
                        4,
                    ),
                ),
                integer(1, 6),
            ),
        ),
        bridge=weighted(
            one_of(
                None,
                ASPP(
                    rate=weighted(one_of(2, 3, 6, 12, 1), 4, 2, 1, 1, 8),
                    width=WIDTHS,
                    separable=one_of(False, True),
                    dropout=one_of(0.1, 0.5),
                ),
                NonLocal(),
            ),
            4,
            1,
            2,
        ),
        decoder=one_of(
            mirrored(
                UpStage(
                    up=one_of(
                        Transposed(
                            kernel=one_of(2, 3),
                            keep=one_of(False, True),
                            norm_act=one_of(False, True),
                            cropped=CROPPED,
                        ),
                        Linear(aligned=ALIGNED, project=one_of(False, True)),
                        Nearest(),
                        MedNextUp(expansion=EXPANSION, kernel=KERNEL),
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
                aligned=ALIGNED,
            ),
            Nested(block=Plain(convs=integer(1, 3)), width=WIDTHS),
            Linked(width=WIDTHS),
        ),
        head=Head(
            deep_supervision=one_of(False, True),
            kernel=one_of(1, 3),
            norm_act=one_of(False, True),
            refined=one_of(False, True),
            aligned=ALIGNED,
        ),
        style=Style(
            norm=one_of("none", "batch", "instance", "group", "layer"),
            activation=one_of("relu", "leaky_relu", "gelu", "silu", "elu", "prelu", "mish", "hardswish"),
            conv_bias=settled(False, True),  # searched for nothing: without a norm there is one, and a norm cancels it
            dropout=one_of(0.0, 0.1, 0.2),
        ),
        width=WIDTHS,
        maximum_width=one_of(256, 320, 512, 2048),
    ),
    members=alternating(
        U_NETS,
        TIRAMISU,
        DEEPLAB,
        ATTENTION,
        RESIDUAL,
        RESIDUAL_U_NET,
        RESIDUAL_ENCODERS,
        MED_NEXT,
        VOLUMES,
        NESTED,
        LINKED,
    ),
    description=(__doc__ or "").strip(),
)
