"""The published networks, as values, with the trainable parameters of their public implementations.

Each is a member of `unet_family` to the digit; `nas spaces show unet_family` prints expected and built counts.
"""

from itertools import zip_longest

from nas.architecture.blocks import (
    Basic,
    Bottleneck,
    Dense,
    Merge,
    Plain,
    PreActivation,
    SplitAttention,
    SqueezeExcite,
)
from nas.architecture.bridges import ASPP
from nas.architecture.downsampling import Dilate, Downsampling, MaxPool, Strided, Transition
from nas.architecture.encoder_decoder import EncoderDecoder, Head, Mirrored, Stage, UpStage, Wide
from nas.architecture.part import Block
from nas.architecture.skips import Concatenate, Gate
from nas.architecture.stems import ConvStem, ResNetStem
from nas.architecture.upsampling import Linear, Transposed, Upsampling
from nas.graph import Style
from nas.space import Reference


def u_net(style: Style, levels: int = 5) -> EncoderDecoder:
    """U-Net, padded: two convolutions a level, max-pool, 2x2 up-convolution (arXiv:1505.04597)."""
    return EncoderDecoder(
        encoder=(Stage(), *(Stage(down=MaxPool()),) * (levels - 1)),
        decoder=Mirrored((UpStage(),) * (levels - 1)),
        style=style,
    )


def u_net_3d(norm: str) -> EncoderDecoder:
    """3D U-Net: widths double inside a level, up-convolutions keep their channels (arXiv:1606.06650)."""
    block = Plain(gradual=True)
    return EncoderDecoder(
        encoder=(Stage(block), *(Stage(block, MaxPool()),) * 3),
        decoder=Mirrored((UpStage(Transposed(keep=True)),) * 3),
        style=Style(norm, conv_bias=True),
    )


def tiramisu(layers: tuple[int, ...], bottleneck: int, growth: int) -> EncoderDecoder:
    """FC-DenseNet: dense blocks of `layers` on the way down, the same mirrored on the way up (arXiv:1611.09326)."""
    downs: tuple[Downsampling | None, ...] = (None, *(Transition(),) * len(layers))
    encoder = [Dense(count, growth) for count in layers] + [Dense(bottleneck, growth, carry=False)]
    decoder = [Dense(count, growth, carry=False) for count in reversed(layers[1:])] + [Dense(layers[0], growth)]
    return EncoderDecoder(
        stem=ConvStem(48),
        encoder=tuple(Stage(block, down) for block, down in zip(encoder, downs, strict=True)),
        decoder=Mirrored(tuple(UpStage(Transposed(3, keep=True), block=block) for block in decoder), width=4),
        style=Style("batch", conv_bias=True, dropout=0.2),
        width=4,  # no block here takes its width from its stage
    )


def _stages(blocks: tuple[Block, ...], dilated: int = 0) -> tuple[Stage, ...]:
    downs: list[Downsampling | None] = [None, Strided(), Strided(), Strided()]
    downs[4 - dilated :] = [Dilate()] * dilated
    return tuple(Stage(block, down) for block, down in zip(blocks, downs, strict=True))


def resnet_unet(blocks: tuple[Block, ...], width: int, deep: bool = False) -> EncoderDecoder:
    """A ResNet-like encoder with a U-Net decoder of two convolutions a level and linear upsampling."""
    return EncoderDecoder(
        stem=ResNetStem(deep=deep),
        encoder=_stages(blocks),
        decoder=Mirrored((UpStage(Linear()),) * 5, width=16),
        style=Style("batch"),
        width=width,
    )


def deeplab(*, separable: bool, output_stride: int = 16) -> EncoderDecoder:
    """DeepLabv3+ over ResNet-50, with dense or separable convolutions (arXiv:1802.02611)."""
    rate = (12 if separable else 6) * 16 // output_stride
    return EncoderDecoder(
        stem=ResNetStem(),
        encoder=_stages(tuple(Bottleneck(units) for units in (3, 4, 6, 3)), dilated=1 if output_stride == 16 else 2),
        bridge=ASPP(rate, separable=separable),
        decoder=Wide(Plain(1, separable=True) if separable else Plain(2)),
        style=Style("batch"),
        width=256,
    )


def attention_u_net() -> EncoderDecoder:
    """Attention U-Net in MONAI's form: gates on skips, strided convolutions (arXiv:1804.03999)."""
    return EncoderDecoder(
        encoder=(Stage(), *(Stage(down=Strided()),) * 4),
        decoder=Mirrored((UpStage(Transposed(3, norm_act=True), Gate(), Merge()),) * 4),
        style=Style("batch", conv_bias=True),
    )


def nn_u_net(levels: int = 4) -> EncoderDecoder:
    """The plain U-Net that nnU-Net plans: strided, instance norm, leaky ReLU, deep supervision (arXiv:1809.10486)."""
    up: Upsampling = Transposed()
    return EncoderDecoder(
        encoder=(Stage(), *(Stage(down=Strided()),) * (levels - 1)),
        decoder=Mirrored((UpStage(up, Concatenate()),) * (levels - 1), width=32),
        head=Head(deep_supervision=True),
        style=Style("instance", "leaky_relu", conv_bias=True),
        width=32,
    )


def res_u_net() -> EncoderDecoder:
    """Deep residual U-Net: pre-activation units, strided (arXiv:1711.10684)."""
    block = PreActivation()
    return EncoderDecoder(
        encoder=(Stage(block), *(Stage(block, Strided()),) * 3),
        decoder=Mirrored((UpStage(Linear(), Concatenate(), block),) * 3),
        style=Style("batch"),
    )


_RESNET_18 = tuple(Basic(2) for _ in range(4))
_RESNET_50 = tuple(Bottleneck(units) for units in (3, 4, 6, 3))
_SE_RESNET_50 = tuple(Bottleneck(units, SqueezeExcite()) for units in (3, 4, 6, 3))
_RESNEST_50 = tuple(SplitAttention(units) for units in (3, 4, 6, 3))

U_NETS = (
    Reference("U-Net BN", u_net(Style("batch")), 31_036_481, 2, 1, 1, "arXiv:1505.04597"),
    Reference("U-Net", u_net(Style("none")), 31_030_593, 2, 1, 1, "arXiv:1505.04597"),
    Reference("U-Net BN, bias", u_net(Style("batch", conv_bias=True)), 31_042_369, 2, 1, 1, "arXiv:1505.04597"),
    Reference("3D U-Net", u_net_3d("none"), 19_070_851, 3, 3, 3, "arXiv:1606.06650"),
    Reference("3D U-Net BN", u_net_3d("batch"), 19_075_523, 3, 3, 3, "arXiv:1606.06650"),
    Reference("nnU-Net", nn_u_net(), 5_603_177, 3, 1, 3, "nnU-Net's plan for MSD Task04, arXiv:1809.10486"),
)
RESIDUAL = (
    Reference("ResNet-18 U-Net", resnet_unet(_RESNET_18, 64), 11_176_512, 2, 3, 1, "torchvision resnet18", "encoder"),
    Reference("ResNet-50 U-Net", resnet_unet(_RESNET_50, 256), 23_508_032, 2, 3, 1, "torchvision resnet50", "encoder"),
)
RESIDUAL_U_NET = (
    Reference("Residual U-Net", res_u_net(), 8_216_775, 2, 3, 1, "structure of arXiv:1711.10684, counted by hand"),
)
TIRAMISU = (
    Reference("Tiramisu-67", tiramisu((5,) * 5, 5, 16), 3_463_243, 2, 3, 11, "arXiv:1611.09326"),
    Reference("Tiramisu-103", tiramisu((4, 5, 7, 10, 12), 15, 16), 9_322_091, 2, 3, 11, "arXiv:1611.09326"),
)
DEEPLAB = (
    Reference("DeepLabv3+ R50", deeplab(separable=False), 40_352_181, 2, 3, 21, "arXiv:1802.02611"),
    Reference(
        "DeepLabv3+ R50, separable", deeplab(separable=True), 26_682_725, 2, 3, 21, "segmentation-models-pytorch"
    ),
)
ATTENTION = (
    Reference("Attention U-Net", attention_u_net(), 31_739_250, 2, 1, 2, "monai.networks.nets.AttentionUnet"),
    Reference("SE-ResNet-50 U-Net", resnet_unet(_SE_RESNET_50, 256), 26_039_024, 2, 3, 1, "timm seresnet50", "encoder"),
    Reference(
        "ResNeSt-50 U-Net", resnet_unet(_RESNEST_50, 256, deep=True), 25_434_240, 2, 3, 1, "timm resnest50d", "encoder"
    ),
)


def alternating(*families: tuple[Reference[EncoderDecoder], ...]) -> tuple[Reference[EncoderDecoder], ...]:
    """All members, one of each family in turn, so that a short search begins with one of every kind."""
    rounds = zip_longest(*families)
    return tuple(member for turn in rounds for member in turn if member is not None)
