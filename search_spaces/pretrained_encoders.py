"""U-Nets over whole ResNet, SE-ResNet and ResNeSt encoders, as published: for weights that they begin with."""

from nas.architecture import (
    Add,
    Concatenate,
    EncoderDecoder,
    Gate,
    Head,
    Linear,
    Mirrored,
    Nearest,
    Style,
    Transposed,
    UpStage,
    mirrored,
)
from nas.architecture.blocks import Basic, Plain
from nas.architecture.encoders import EncoderStem, encoder_stages
from nas.space import Reference, Space, integer, one_of, settled, shared

ENCODER = shared("encoder", one_of("resnet18", "resnet34", "resnet50", "seresnet50", "resnest50d", "resnet101"))


def u_net(encoder: str) -> EncoderDecoder:
    """The member of `unet_family` with this encoder."""
    return EncoderDecoder(
        stem=EncoderStem(encoder),
        encoder=encoder_stages(encoder),
        decoder=Mirrored((UpStage(Linear()),) * 5, width=16),
        style=Style("batch"),
    )


def reference(name: str, encoder: str, parameters: int, source: str) -> Reference[EncoderDecoder]:
    """A network whose encoder has its published number of parameters."""
    return Reference(f"{name} U-Net", u_net(encoder), parameters, 2, 3, 1, source, "encoder")


SPACE = Space(
    name="pretrained_encoders",
    template=EncoderDecoder(
        stem=EncoderStem(ENCODER),
        encoder=encoder_stages(ENCODER),
        decoder=mirrored(
            UpStage(
                up=one_of(Linear(), Transposed(), Nearest()),
                skip=one_of(Concatenate(), Add(), Gate()),
                block=one_of(Plain(convs=integer(1, 3)), Basic(units=integer(1, 2))),
            ),
            width=one_of(4, 6, 8, 12, 16, 24, 32, 48, 64),
        ),
        head=Head(deep_supervision=one_of(False, True)),
        # What the weights were trained with: another norm or activation would make other features of them.
        style=Style("batch"),
        # Blocks here have their encoder's widths: a slimmed member has another number here, and no other network.
        width=settled(64, 48, 32, 24, 16, 12, 8, 6, 4),
    ),
    members=(
        reference("ResNet-18", "resnet18", 11_176_512, "torchvision resnet18"),
        reference("ResNet-34", "resnet34", 21_284_672, "torchvision resnet34"),
        reference("ResNet-50", "resnet50", 23_508_032, "torchvision resnet50"),
        reference("SE-ResNet-50", "seresnet50", 26_039_024, "timm seresnet50"),
        reference("ResNeSt-50", "resnest50d", 25_434_240, "timm resnest50d"),
        reference("ResNet-101", "resnet101", 42_500_160, "torchvision resnet101"),
    ),
    description=(__doc__ or "").strip(),
)
