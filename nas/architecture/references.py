"""The published networks, as values, with the trainable parameters of their public implementations.

Each is a member of `unet_family` to the digit; `nas spaces show unet_family` prints expected and built counts.
"""

from itertools import zip_longest

from nas.architecture.blocks import (
    Basic,
    Bottleneck,
    Dense,
    MedNext,
    Merge,
    Plain,
    PreActivation,
    SplitAttention,
    SqueezeExcite,
    VNet,
    VNetInput,
)
from nas.architecture.bridges import ASPP
from nas.architecture.decoders import Linked, Nested
from nas.architecture.downsampling import (
    Dilate,
    Downsampling,
    MaxPool,
    MedNextDown,
    Strided,
    StridedConv,
    Transition,
)
from nas.architecture.encoder_decoder import EncoderDecoder, Mirrored, Stage, UpStage, Wide
from nas.architecture.heads import Head
from nas.architecture.part import Block
from nas.architecture.skips import Add, Concatenate, Gate
from nas.architecture.stems import ConvStem, ResNetStem
from nas.architecture.upsampling import Linear, MedNextUp, Transposed
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


_CROPPED = Transposed(3, keep=True, cropped=True)


def tiramisu(layers: tuple[int, ...], bottleneck: int, growth: int) -> EncoderDecoder:
    """FC-DenseNet: dense blocks of `layers` on the way down, the same mirrored on the way up (arXiv:1611.09326)."""
    downs: tuple[Downsampling | None, ...] = (None, *(Transition(),) * len(layers))
    encoder = [Dense(count, growth) for count in layers] + [Dense(bottleneck, growth, carry=False)]
    decoder = [Dense(count, growth, carry=False) for count in reversed(layers[1:])] + [Dense(layers[0], growth)]
    return EncoderDecoder(
        stem=ConvStem(48),
        encoder=tuple(Stage(block, down) for block, down in zip(encoder, downs, strict=True)),
        decoder=Mirrored(tuple(UpStage(_CROPPED, block=block) for block in decoder), width=4),
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


def deeplab(blocks: tuple[Block, ...], width: int, *, separable: bool, output_stride: int = 16) -> EncoderDecoder:
    """DeepLabv3+ with dense convolutions (arXiv:1802.02611), or separable as in segmentation-models-pytorch.

    That one keeps its rates of 12, 24 and 36 at both output strides, and aligns corners wherever it interpolates.
    """
    rate = 12 if separable else 6 * 16 // output_stride
    return EncoderDecoder(
        stem=ResNetStem(),
        encoder=_stages(blocks, dilated=1 if output_stride == 16 else 2),
        bridge=ASPP(rate, separable=separable),
        decoder=Wide(Plain(1, separable=True), aligned=True) if separable else Wide(Plain(2)),
        head=Head(aligned=separable),
        style=Style("batch"),
        width=width,
    )


def u_net_plus_plus(blocks: tuple[Block, ...], width: int) -> EncoderDecoder:
    """U-Net++ over a ResNet encoder, as in segmentation-models-pytorch (arXiv:1807.10165)."""
    return EncoderDecoder(
        stem=ResNetStem(),
        encoder=_stages(blocks),
        decoder=Nested(),
        head=Head(kernel=3),
        style=Style("batch"),
        width=width,
    )


def link_net(blocks: tuple[Block, ...], width: int) -> EncoderDecoder:
    """LinkNet over a ResNet encoder, as in segmentation-models-pytorch (arXiv:1707.03718)."""
    return EncoderDecoder(
        stem=ResNetStem(), encoder=_stages(blocks), decoder=Linked(), style=Style("batch"), width=width
    )


def attention_u_net() -> EncoderDecoder:
    """Attention U-Net in MONAI's form: gates on skips, strided convolutions (arXiv:1804.03999)."""
    return EncoderDecoder(
        encoder=(Stage(), *(Stage(down=Strided()),) * 4),
        decoder=Mirrored((UpStage(Transposed(3, norm_act=True), Gate(), Merge()),) * 4),
        style=Style("batch", conv_bias=True),
    )


def nn_u_net(levels: int = 4, maximum_width: int = 2048) -> EncoderDecoder:
    """The plain U-Net that nnU-Net plans: strided, instance norm, leaky ReLU, deep supervision (arXiv:1809.10486).

    nnU-Net's `maximum_width` is 320 in 3D and 512 in 2D.
    """
    return EncoderDecoder(
        encoder=(Stage(), *(Stage(down=Strided()),) * (levels - 1)),
        decoder=Mirrored((UpStage(),) * (levels - 1), width=32),
        head=Head(deep_supervision=True),
        style=Style("instance", "leaky_relu", conv_bias=True),
        width=32,
        maximum_width=maximum_width,
    )


def residual_encoder_u_net(levels: int, maximum_width: int = 320) -> EncoderDecoder:
    """The residual encoder U-Net that nnU-Net plans (Isensee et al. 2024, arXiv:2404.09556).

    Its presets M, L and XL follow one rule, and differ in the memory they plan for: patch and number of levels follow.
    """
    encoder = [Basic(units, average_shortcut=True, lean_shortcut=True) for units in (1, 3, 4, 6, 6, 6, 6)[:levels]]
    downs: tuple[Downsampling | None, ...] = (None, *(Strided(),) * (levels - 1))
    return EncoderDecoder(
        stem=ConvStem(32, norm_act=True),
        encoder=tuple(Stage(block, down) for block, down in zip(encoder, downs, strict=True)),
        decoder=Mirrored((UpStage(block=Plain(1)),) * (levels - 1), width=32),
        head=Head(deep_supervision=True),
        style=Style("instance", "leaky_relu", conv_bias=True),
        width=32,
        maximum_width=maximum_width,
    )


def v_net() -> EncoderDecoder:
    """V-Net in MONAI's form with ReLU, without its dropout (arXiv:1606.04797)."""
    down = StridedConv(2, norm_act=True)
    up = Transposed(norm_act=True)
    return EncoderDecoder(
        encoder=(Stage(VNetInput()), *(Stage(VNet(convs), down) for convs in (1, 2, 3, 2))),
        decoder=Mirrored(tuple(UpStage(up, block=VNet(convs, keep=True)) for convs in (2, 2, 1, 1)), width=16),
        head=Head(refined=True),
        style=Style("batch"),
        width=16,
    )


def seg_res_net(width: int = 16) -> EncoderDecoder:
    """SegResNet in MONAI's form, without its autoencoder (Myronenko 2018, arXiv:1810.11654)."""
    downs: tuple[Downsampling | None, ...] = (None, *(StridedConv(),) * 3)
    return EncoderDecoder(
        stem=ConvStem(width),
        encoder=tuple(Stage(PreActivation(units), down) for units, down in zip((1, 2, 2, 4), downs, strict=True)),
        decoder=Mirrored((UpStage(Linear(project=True), Add(), PreActivation()),) * 3, width=width),
        head=Head(norm_act=True),
        style=Style("group"),
        width=width,
    )


def med_next(units: tuple[int, ...], expansions: tuple[int, ...], kernel: int) -> EncoderDecoder:
    """MedNeXt: so many units at each level, the last being the bottleneck, the same mirrored on the way up.

    Roy et al. 2023, arXiv:2303.09975, in MONAI's form. Its group norm has a group for each channel: an instance norm.
    """
    blocks = [MedNext(count, expansion, kernel) for count, expansion in zip(units, expansions, strict=True)]
    downs: list[Downsampling | None] = [None, *(MedNextDown(expansion, kernel) for expansion in expansions[:-1])]
    ups = [UpStage(MedNextUp(block.expansion, kernel), Add(), block) for block in blocks[:-1]]
    return EncoderDecoder(
        stem=ConvStem(32, kernel=1),
        encoder=tuple(Stage(block, down) for block, down in zip(blocks, downs, strict=True)),
        decoder=Mirrored(tuple(reversed(ups)), width=32),
        style=Style("instance", "gelu", conv_bias=True),
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
_RESNET_34 = tuple(Basic(units) for units in (3, 4, 6, 3))
_RESNET_50 = tuple(Bottleneck(units) for units in (3, 4, 6, 3))
_RESNET_101 = tuple(Bottleneck(units) for units in (3, 4, 23, 3))
_SE_RESNET_50 = tuple(Bottleneck(units, SqueezeExcite()) for units in (3, 4, 6, 3))
_RESNEST_50 = tuple(SplitAttention(units) for units in (3, 4, 6, 3))

_MED_NEXT = {
    "S": ((2, 2, 2, 2, 2), (2, 2, 2, 2, 2)),
    "B": ((2, 2, 2, 2, 2), (2, 3, 4, 4, 4)),
    "M": ((3, 4, 4, 4, 4), (2, 3, 4, 4, 4)),
    "L": ((3, 4, 8, 8, 8), (3, 4, 8, 8, 8)),
}
_DYNAMIC = "dynamic-network-architectures"
# Slices about four times as thick as their pixels: neither halved nor mixed at the first two levels.
_THICK = ((1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2), (1, 2, 2))
_FLAT = ((1, 3, 3), (1, 3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3))
_SMP = "segmentation-models-pytorch"
_MONAI_MED_NEXT = "monai.networks.nets.MedNeXt"


def _deeplab(
    name: str, blocks: tuple[Block, ...], width: int, separable: bool, count: int
) -> Reference[EncoderDecoder]:
    architecture = deeplab(blocks, width, separable=separable)
    return Reference(name, architecture, count, 2, 3, 21, _SMP if separable else "arXiv:1802.02611")


U_NETS = (
    Reference("U-Net BN", u_net(Style("batch")), 31_036_481, 2, 1, 1, "arXiv:1505.04597"),
    Reference("U-Net", u_net(Style("none")), 31_030_593, 2, 1, 1, "arXiv:1505.04597"),
    Reference("U-Net BN, bias", u_net(Style("batch", conv_bias=True)), 31_042_369, 2, 1, 1, "arXiv:1505.04597"),
    Reference("3D U-Net", u_net_3d("none"), 19_070_851, 3, 3, 3, "arXiv:1606.06650"),
    Reference("3D U-Net BN", u_net_3d("batch"), 19_075_523, 3, 3, 3, "arXiv:1606.06650"),
    Reference("nnU-Net", nn_u_net(), 5_603_177, 3, 1, 3, "nnU-Net's plan for MSD Task04, arXiv:1809.10486"),
    Reference("nnU-Net, 6 stages", nn_u_net(6, 320), 31_195_594, 3, 1, 2, _DYNAMIC),
    Reference("nnU-Net, thick slices", nn_u_net(6, 320), 30_340_564, 3, 1, 4, _DYNAMIC, strides=_THICK, kernels=_FLAT),
)
RESIDUAL = (
    Reference("ResNet-18 U-Net", resnet_unet(_RESNET_18, 64), 11_176_512, 2, 3, 1, "torchvision resnet18", "encoder"),
    Reference("ResNet-50 U-Net", resnet_unet(_RESNET_50, 256), 23_508_032, 2, 3, 1, "torchvision resnet50", "encoder"),
    Reference("ResNet-34 U-Net", resnet_unet(_RESNET_34, 64), 21_284_672, 2, 3, 1, "torchvision resnet34", "encoder"),
    Reference(
        "ResNet-101 U-Net", resnet_unet(_RESNET_101, 256), 42_500_160, 2, 3, 1, "torchvision resnet101", "encoder"
    ),
)
RESIDUAL_ENCODERS = (
    Reference("nnU-Net ResEnc-L, 6 stages", residual_encoder_u_net(6), 102_349_770, 3, 1, 2, _DYNAMIC),
    Reference("nnU-Net ResEnc-M, 5 stages", residual_encoder_u_net(5), 62_809_928, 3, 1, 2, _DYNAMIC),
    Reference("nnU-Net ResEnc-XL, 7 stages", residual_encoder_u_net(7), 141_889_612, 3, 1, 2, _DYNAMIC),
)
RESIDUAL_U_NET = (
    Reference("Residual U-Net", res_u_net(), 8_216_775, 2, 3, 1, "structure of arXiv:1711.10684, counted by hand"),
)
TIRAMISU = (
    Reference("Tiramisu-67", tiramisu((5,) * 5, 5, 16), 3_463_243, 2, 3, 11, "arXiv:1611.09326"),
    Reference("Tiramisu-103", tiramisu((4, 5, 7, 10, 12), 15, 16), 9_322_091, 2, 3, 11, "arXiv:1611.09326"),
)
DEEPLAB = (
    _deeplab("DeepLabv3+ R50", _RESNET_50, 256, False, 40_352_181),
    _deeplab("DeepLabv3+ R50, separable", _RESNET_50, 256, True, 26_682_725),
    _deeplab("DeepLabv3+ R34, separable", _RESNET_34, 64, True, 22_442_597),
    _deeplab("DeepLabv3+ R101", _RESNET_101, 256, False, 59_344_309),
    _deeplab("DeepLabv3+ R101, separable", _RESNET_101, 256, True, 45_674_853),
)
NESTED = (Reference("U-Net++ R18", u_net_plus_plus(_RESNET_18, 64), 15_964_322, 2, 1, 2, _SMP),)
LINKED = (Reference("LinkNet R18", link_net(_RESNET_18, 64), 11_657_538, 2, 1, 2, _SMP),)
VOLUMES = (
    Reference("V-Net", v_net(), 45_597_898, 3, 1, 2, "monai.networks.nets.VNet"),
    Reference("SegResNet", seg_res_net(), 4_700_914, 3, 1, 2, "monai.networks.nets.SegResNet"),
)
MED_NEXT = tuple(
    Reference(f"MedNeXt-{size}, kernel {kernel}", med_next(*_MED_NEXT[size], kernel), count, 3, 1, 2, _MONAI_MED_NEXT)
    for size, kernel, count in (
        ("S", 3, 5_550_914),
        ("B", 3, 10_510_850),
        ("M", 3, 17_533_506),
        ("L", 3, 61_726_754),
        ("S", 5, 5_980_546),
        ("B", 5, 10_940_482),
        ("M", 5, 18_245_378),
        ("L", 5, 62_940_386),
    )
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
