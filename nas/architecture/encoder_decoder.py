"""The one form that all networks here share: stem, encoder, bridge, decoder, head."""

from dataclasses import dataclass, field

from nas.architecture.blocks.plain import Plain
from nas.architecture.bridges import Bridge
from nas.architecture.downsampling import Downsampling
from nas.architecture.heads import Head, Outputs
from nas.architecture.part import WIDEST, Block, Decoder, Features, Site, strides_at, width_field
from nas.architecture.skips import Concatenate, Skip
from nas.architecture.stems import Stem
from nas.architecture.upsampling import Transposed, Upsampling
from nas.graph import Ops, Style, Tensor
from nas.space import following, knob


@dataclass(frozen=True)
class Stage:
    """One stage of an encoder: how it comes to its resolution, and its block. The first stage has no `down`."""

    block: Block = Plain()
    down: Downsampling | None = None


@dataclass(frozen=True)
class UpStage:
    """One stage of a decoder: how it climbs, how it joins the encoder's feature, and its block."""

    up: Upsampling = Transposed()
    skip: Skip | None = Concatenate()
    block: Block = Plain()


@dataclass(frozen=True)
class Mirrored:
    """A decoder that climbs level by level, as the encoder came down (U-Net, arXiv:1505.04597).

    `width` is that of the last, finest stage; it doubles with each stage below, up to the architecture's maximum.
    """

    stages: tuple[UpStage, ...] = ()
    width: int = width_field(64)

    def __call__(self, x: Tensor, features: Features, ops: Ops, maximum: int) -> tuple[Tensor, ...]:
        """Write the decoder; returns every stage's tensor, finest first."""
        made: list[Tensor] = []
        for index, stage in enumerate(self.stages):
            level = len(self.stages) - 1 - index
            site = Site(min(self.width * 2**level, maximum), (1,) * ops.task.axes)
            with ops.scope(f"decoder.{index}", stage):
                x = _climb(stage, x, features.get(level), level, ops, site)
            made.insert(0, x)
        return tuple(made) or (x,)


@dataclass(frozen=True)
class Wide:
    """A decoder of one wide step: interpolated to a quarter of the resolution, joined there, refined once.

    DeepLabv3+ (Chen et al. 2018, arXiv:1802.02611): the feature is brought to `low_width` channels; what remains
    to full resolution is interpolated after the head. `aligned` interpolates with aligned corners, as
    segmentation-models-pytorch does.
    """

    block: Block = Plain()
    width: int = width_field(256)
    low_width: int = width_field(48)
    aligned: bool = False

    def __call__(self, x: Tensor, features: Features, ops: Ops, maximum: int) -> tuple[Tensor, ...]:
        """Write the decoder; returns its one tensor."""
        feature = features[min(2, max(features))]
        with ops.scope("decoder", self):
            with ops.scope("low"):
                low = ops.conv_norm_act(feature, self.low_width, 1)
            x = ops.concat(low, ops.resize(x, feature.strides, "aligned" if self.aligned else "linear"))
            with ops.scope("block", self.block):
                return (self.block(x, ops, Site(self.width, (1,) * ops.task.axes)),)


@dataclass(frozen=True)
class EncoderDecoder:
    """An encoder-decoder network, whole: free of torch and of the data's sizes.

    `width` is the first stage's; it doubles with each stage up to `maximum_width`. Blocks that set their own
    width (dense ones) do not follow it.
    """

    stem: Stem | None = None
    encoder: tuple[Stage, ...] = knob((Stage(),), low=1)
    bridge: Bridge | None = None
    decoder: Decoder = Mirrored()
    head: Outputs = Head()
    style: Style = field(default_factory=Style)
    width: int = width_field(64)
    maximum_width: int = knob(2048, low=1, high=WIDEST)

    def __call__(self, x: Tensor, ops: Ops) -> tuple[Tensor, ...]:
        """Write the network; returns its outputs, full resolution first."""
        full = x.strides
        x, level, features = self._stem(x, ops)
        x = self._encode(x, level, features, ops)
        if self.bridge is not None:
            with ops.scope("bridge", self.bridge):
                x = self.bridge(x, ops)
        return self.head(self.decoder(x, features, ops, self.maximum_width), ops, full)

    def _stem(self, x: Tensor, ops: Ops) -> tuple[Tensor, int, Features]:
        if self.stem is None:
            return x, 0, {}
        strides = tuple(ops.task.stride(level) for level in range(self.stem.levels))
        with ops.scope("stem", self.stem):
            tensors = self.stem(x, ops, strides)
        first = self.stem.levels - len(tensors) + 1
        return tensors[-1], self.stem.levels, {first + index: tensor for index, tensor in enumerate(tensors)}

    def _encode(self, x: Tensor, level: int, features: Features, ops: Ops) -> Tensor:
        dilation = 1
        for index, stage in enumerate(self.encoder):
            stays = stage.down is None or stage.down.levels == 0
            stride = (1,) * ops.task.axes if stays else ops.task.stride(level)
            dilation = dilation if stays else 1
            site = Site(min(self.width * 2**index, self.maximum_width), stride, dilation)
            with ops.scope(f"encoder.{index}", stage):
                if stage.down is not None:
                    with ops.scope("down", stage.down):
                        x, site = stage.down(x, ops, site)
                with ops.scope("block", stage.block):
                    x = stage.block(x, ops, site)
            dilation = site.dilation
            level += 0 if stays else 1
            features[level] = x
        return x


def mirrored(stage: UpStage, *, width: int) -> Mirrored:
    """A decoder with one `stage`, each decided on its own, for every level that stem and encoder came down."""
    return Mirrored(following(stage, "levels"), width)


def _climb(stage: UpStage, coarse: Tensor, feature: Tensor | None, level: int, ops: Ops, site: Site) -> Tensor:
    strides = feature.strides if feature is not None else strides_at(level, ops)
    with ops.scope("up", stage.up):
        x = stage.up(coarse, ops, site.width, strides)
    if feature is not None and stage.skip is not None:
        with ops.scope("skip", stage.skip):
            x = stage.skip(feature, coarse, x, ops)
    with ops.scope("block", stage.block):
        return stage.block(x, ops, site)
