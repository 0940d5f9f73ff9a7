"""DeepLabv3+: residual encoders of output stride 4 to 16, dense or separable ASPP, the wide decoder step."""

from nas.architecture import ASPP, Dilate, EncoderDecoder, Head, ResNetStem, Stage, Strided, Style, Wide
from nas.architecture.blocks import Basic, Bottleneck, Plain, SplitAttention, SqueezeExcite
from nas.architecture.references import DEEPLAB
from nas.space import Space, integer, one_of, repeated, shared, weighted

WIDTHS = one_of(4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
ATTENTION = one_of(None, SqueezeExcite())
ALIGNED = shared("aligned_corners", one_of(False, True))
BLOCKS = one_of(
    Basic(units=integer(1, 6), attention=ATTENTION),
    Bottleneck(units=integer(1, 23, log=True), attention=ATTENTION),
    SplitAttention(units=integer(1, 6)),
)

SPACE = Space(
    name="deeplab",
    template=EncoderDecoder(
        stem=ResNetStem(width=WIDTHS, deep=one_of(False, True)),
        encoder=(Stage(block=BLOCKS), *repeated(Stage(block=BLOCKS, down=one_of(Strided(), Dilate())), integer(1, 3))),
        bridge=ASPP(
            rate=weighted(one_of(2, 3, 6, 12, 1), 4, 2, 1, 1, 8),
            width=WIDTHS,
            separable=one_of(False, True),
            dropout=one_of(0.1, 0.5),
        ),
        decoder=Wide(
            block=Plain(convs=integer(1, 3), separable=one_of(False, True)),
            width=WIDTHS,
            low_width=WIDTHS,
            aligned=ALIGNED,
        ),
        head=Head(aligned=ALIGNED),
        style=Style(norm=one_of("batch", "instance"), activation=one_of("relu", "leaky_relu")),
        width=WIDTHS,
    ),
    members=DEEPLAB,
    description=(__doc__ or "").strip(),
)
