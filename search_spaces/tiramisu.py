"""Fully convolutional DenseNets: layers of each dense block, growth, depth and dropout."""

from nas.architecture import (
    Concatenate,
    ConvStem,
    EncoderDecoder,
    Stage,
    Style,
    Transition,
    Transposed,
    UpStage,
    mirrored,
)
from nas.architecture.blocks import Dense
from nas.architecture.references import TIRAMISU
from nas.space import Space, integer, one_of, repeated, settled, shared

GROWTH = shared("growth", one_of(2, 3, 4, 6, 8, 12, 16, 24, 32))
DENSE = Dense(layers=one_of(2, 3, 4, 5, 7, 10, 12, 15), growth=GROWTH, carry=one_of(True, False))

SPACE = Space(
    name="tiramisu",
    template=EncoderDecoder(
        stem=ConvStem(width=one_of(4, 6, 8, 12, 16, 24, 32, 48, 64)),
        encoder=(Stage(block=DENSE), *repeated(Stage(block=DENSE, down=Transition()), integer(2, 5))),
        decoder=mirrored(
            UpStage(
                up=Transposed(kernel=one_of(2, 3), keep=True, cropped=shared("cropped", one_of(False, True))),
                skip=Concatenate(),
                block=DENSE,
            ),
            width=4,
        ),
        style=Style(
            norm=one_of("batch", "instance"),
            activation=one_of("relu", "leaky_relu"),
            conv_bias=settled(False, True),  # searched for nothing: without a norm there is one, and a norm cancels it
            dropout=one_of(0.0, 0.1, 0.2, 0.3),
        ),
        width=4,
    ),
    members=TIRAMISU,
    description=(__doc__ or "").strip(),
)
