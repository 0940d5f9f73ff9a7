"""Small networks of seven families for volumes: few enough that every one of them can be trained, for tables."""

from nas.architecture import EncoderDecoder, Linear, Mirrored, Stage, Strided, Style, UpStage, mirrored
from nas.architecture.uniform import FamilyBlock, Join, Pyramid
from nas.space import Reference, Space, integer, one_of, repeated, shared

BLOCK = FamilyBlock(
    shared(
        "family",
        one_of("plain", "residual", "squeeze_excite", "pre_activation", "dense", "mednext", "split_attention"),
    )
)
WIDTH = shared("width", one_of(4, 8))


def small(family: str, skip: str | None = "concatenate", norm: str = "instance", levels: int = 3) -> EncoderDecoder:
    """A member; without a skip, one with a pyramid."""
    block = FamilyBlock(family)
    up = UpStage(Linear(), Join(skip or "concatenate"), block)
    return EncoderDecoder(
        encoder=(Stage(block), *(Stage(block, Strided()),) * (levels - 1)),
        decoder=Mirrored((up,) * (levels - 1), width=4) if skip else Pyramid(block),
        style=Style(norm, "leaky_relu"),
        width=4,
    )


def reference(name: str, parameters: int, architecture: EncoderDecoder, source: str) -> Reference[EncoderDecoder]:
    """A small form of a published network; its parameters are those that were built."""
    return Reference(f"{name}, base 4", architecture, parameters, 3, 1, 3, f"structure of {source}, as built")


SPACE = Space(
    name="small_volumes",
    template=EncoderDecoder(
        encoder=(Stage(BLOCK), *repeated(Stage(BLOCK, Strided()), integer(2, 3))),
        decoder=one_of(
            mirrored(UpStage(Linear(), Join(shared("skip", one_of("concatenate", "add", "gate"))), BLOCK), width=WIDTH),
            Pyramid(BLOCK),
        ),
        style=Style(norm=one_of("instance", "batch"), activation="leaky_relu"),
        width=WIDTH,
    ),
    members=(
        reference("nnU-Net", 22_315, small("plain"), "arXiv:1809.10486"),
        reference("Tiramisu", 38_361, small("dense", norm="batch"), "arXiv:1611.09326"),
        reference("DeepLabv3+", 117_931, small("residual", None, "batch", 4), "arXiv:1802.02611"),
        reference("Attention U-Net", 22_483, small("plain", "gate", "batch"), "arXiv:1804.03999"),
        reference("Residual U-Net", 93_361, small("pre_activation", norm="batch", levels=4), "arXiv:1711.10684"),
        reference("MedNeXt", 3_261, small("mednext", "add"), "arXiv:2303.09975"),
    ),
    description=(__doc__ or "").strip(),
)
