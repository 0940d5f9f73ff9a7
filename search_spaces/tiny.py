"""Very small U-Nets of two or three levels, for tests and first steps."""

from nas.architecture import (
    Concatenate,
    EncoderDecoder,
    MaxPool,
    Mirrored,
    Stage,
    Strided,
    Style,
    Transposed,
    UpStage,
    mirrored,
)
from nas.architecture.blocks import Basic, Plain
from nas.space import Reference, Space, integer, one_of, repeated

BLOCKS = one_of(Plain(convs=integer(1, 2)), Basic(units=1))

TINY_U_NET = EncoderDecoder(
    encoder=(Stage(), Stage(down=MaxPool())),
    decoder=Mirrored((UpStage(),), width=4),
    style=Style("instance", "leaky_relu"),
    width=4,
)

SPACE = Space(
    name="tiny",
    template=EncoderDecoder(
        encoder=(
            Stage(block=BLOCKS),
            *repeated(Stage(block=BLOCKS, down=one_of(MaxPool(), Strided())), integer(1, 2)),
        ),
        decoder=mirrored(UpStage(up=Transposed(), skip=Concatenate(), block=BLOCKS), width=one_of(4, 8)),
        style=Style(norm="instance", activation="leaky_relu"),
        width=one_of(4, 8),
    ),
    members=(Reference("Tiny U-Net", TINY_U_NET, 1_677, 2, 1, 1, "two levels of the U-Net, counted by hand"),),
    description=(__doc__ or "").strip(),
)
