"""Small networks of seven families for images: few enough that every one of them can be trained, for tables."""

from nas.architecture import EncoderDecoder, MaxPool, Mirrored, Stage, Style, Transposed, UpStage, mirrored
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
    up = UpStage(Transposed(), Join(skip or "concatenate"), block)
    return EncoderDecoder(
        encoder=(Stage(block), *(Stage(block, MaxPool()),) * (levels - 1)),
        decoder=Mirrored((up,) * (levels - 1), width=4) if skip else Pyramid(block),
        style=Style(norm, "relu"),
        width=4,
    )


def reference(name: str, parameters: int, architecture: EncoderDecoder, source: str) -> Reference[EncoderDecoder]:
    """A small form of a published network; its parameters are those that were built."""
    return Reference(f"{name}, base 4", architecture, parameters, 2, 1, 2, f"structure of {source}, as built")


SPACE = Space(
    name="small_images",
    template=EncoderDecoder(
        encoder=(Stage(BLOCK), *repeated(Stage(BLOCK, MaxPool()), integer(2, 4))),
        decoder=one_of(
            mirrored(
                UpStage(Transposed(), Join(shared("skip", one_of("concatenate", "add", "gate"))), BLOCK), width=WIDTH
            ),
            Pyramid(BLOCK),
        ),
        style=Style(norm=one_of("instance", "batch"), activation="relu"),
        width=WIDTH,
    ),
    members=(
        reference("U-Net", 7_482, small("plain", norm="batch"), "arXiv:1505.04597"),
        reference("Tiramisu", 10_202, small("dense", norm="batch"), "arXiv:1611.09326"),
        reference("DeepLabv3+", 20_376, small("split_attention", None, "batch", 4), "arXiv:1802.02611"),
        reference("Attention U-Net", 7_610, small("plain", "gate", "batch"), "arXiv:1804.03999"),
        reference("Residual U-Net", 31_816, small("pre_activation", norm="batch", levels=4), "arXiv:1711.10684"),
        reference("ResNet U-Net", 31_998, small("residual", norm="batch", levels=4), "arXiv:1512.03385"),
    ),
    description=(__doc__ or "").strip(),
)
