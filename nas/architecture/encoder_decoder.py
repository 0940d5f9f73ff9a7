"""The one form that all networks here share: stem, encoder, bridge, decoder, head."""

from dataclasses import dataclass, field

from nas.architecture.blocks.plain import Plain
from nas.architecture.bridges import Bridge
from nas.architecture.downsampling import Downsampling
from nas.architecture.heads import Head, Outputs
from nas.architecture.part import (
    WIDEST,
    Block,
    Decoder,
    Features,
    Site,
    call,
    levels,
    strides_at,
    tensor,
    tensors,
    width_field,
)
from nas.architecture.skips import Concatenate, Skip
from nas.architecture.stems import Stem
from nas.architecture.upsampling import Transposed, Upsampling
from nas.errors import InputError
from nas.graph import Axes, Ops, Style, Task, Tensor, trace
from nas.space import following, knob
from nas.space.walk import open_choices

_DEEPEST = 10
"""Levels that a stem may come down at most."""


@dataclass(frozen=True)
class Stage:
    """One stage of an encoder: how it comes to its resolution, and its block. The first stage has no `down`.

    `block` is what it computes.
    """

    block: Block = Plain()
    down: Downsampling | None = None


@dataclass(frozen=True)
class UpStage:
    """One stage of a decoder: how it climbs, how it joins the encoder's feature, and its block.

    `up` is how it climbs, `skip` how it joins, `block` what it then computes.
    """

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
        scales: list[Tensor] = []
        for index, stage in enumerate(self.stages):
            level = len(self.stages) - 1 - index
            site = Site(min(self.width * 2**level, maximum), (1,) * ops.task.axes)
            with ops.scope(f"decoder.{index}", stage):
                x = _climb(stage, x, features.get(level), level, ops, site)
            scales.insert(0, x)
        return tuple(scales) or (x,)


@dataclass(frozen=True)
class Wide:
    """A decoder of one wide step: interpolated to a quarter of the resolution, joined there, refined once.

    DeepLabv3+ (Chen et al. 2018, arXiv:1802.02611): the feature is brought to `low_width` channels; what remains to
    full resolution is interpolated after the head. `aligned` interpolates with aligned corners, as
    segmentation-models-pytorch does. Its `block` makes `width` channels.
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
                return (tensor(call(self.block, x, ops, Site(self.width, (1,) * ops.task.axes), ops=ops), ops),)


@dataclass(frozen=True)
class EncoderDecoder:
    """An encoder-decoder network, whole: free of torch and of the data's sizes.

    `width` is the first stage's; it doubles with each stage up to `maximum_width`. Blocks that set their own width
    (dense ones) do not follow it. `stem` is what stands before the first stage, `bridge` what stands between
    encoder and decoder, `decoder` how it comes back to full resolution.
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
                x = tensor(call(self.bridge, x, ops, ops=ops), ops)
        decoded = tensors(call(self.decoder, x, features, ops, self.maximum_width, ops=ops), ops)
        return self._scores(tensors(call(self.head, decoded, ops, full, ops=ops), ops), ops, full)

    def _repr_svg_(self) -> str | None:
        """The picture that a notebook shows, for a task in 2D of one channel and two classes.

        None for what cannot be traced, such as a template with open choices.
        """
        from nas.graph.picture import draw

        if open_choices(self):
            return None
        try:
            return draw(trace(self, Task(2, 1, 2)), "Architecture, for a 2D task")
        except InputError:
            return None

    def _scores(self, outputs: tuple[Tensor, ...], ops: Ops, full: Axes) -> tuple[Tensor, ...]:
        """The outputs, if they are scores of each class, the first at full resolution."""
        head = type(self.head).__name__
        if outputs[0].strides != full:
            raise InputError(f"{head}: its first output has strides {outputs[0].strides}, expected full resolution")
        for output in outputs:
            if output.channels != ops.task.classes:
                raise InputError(f"{head}: has an output of {output.channels} channels, expected {ops.task.classes}")
        return outputs

    def _stem(self, x: Tensor, ops: Ops) -> tuple[Tensor, int, Features]:
        if self.stem is None:
            return x, 0, {}
        with ops.scope("stem", self.stem):
            reached = levels(self.stem, _DEEPEST, ops)
            strides = tuple(ops.task.stride(level) for level in range(reached))
            passed = tensors(call(self.stem, x, ops, strides, ops=ops), ops)
        first = reached - len(passed) + 1
        return passed[-1], reached, {first + index: feature for index, feature in enumerate(passed)}

    def _encode(self, x: Tensor, level: int, features: Features, ops: Ops) -> Tensor:
        dilation = 1
        for index, stage in enumerate(self.encoder):
            stays = stage.down is None or _stays(stage.down, index, ops)
            stride = (1,) * ops.task.axes if stays else ops.task.stride(level)
            dilation = dilation if stays else 1
            site = Site(min(self.width * 2**index, self.maximum_width), stride, dilation)
            with ops.scope(f"encoder.{index}", stage):
                if stage.down is not None:
                    with ops.scope("down", stage.down):
                        x, site = _step_down(stage.down, x, ops, site)
                with ops.scope("block", stage.block):
                    x = tensor(call(stage.block, x, ops, site, ops=ops), ops)
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
        x = tensor(call(stage.up, coarse, ops, site.width, strides, ops=ops), ops, strides)
    if feature is not None and stage.skip is not None:
        with ops.scope("skip", stage.skip):
            x = tensor(call(stage.skip, feature, coarse, x, ops, ops=ops), ops, strides)
    with ops.scope("block", stage.block):
        return tensor(call(stage.block, x, ops, site, ops=ops), ops)


def _stays(down: Downsampling, index: int, ops: Ops) -> bool:
    with ops.scope(f"encoder.{index}.down", down):
        return levels(down, 1, ops) == 0


def _step_down(down: Downsampling, x: Tensor, ops: Ops, site: Site) -> tuple[Tensor, Site]:
    returned = call(down, x, ops, site, ops=ops)
    if not isinstance(returned, tuple) or len(returned) != 2 or not isinstance(returned[1], Site):
        raise InputError(f"{ops.here()}: expected a tensor and the site where the block then stands to be returned")
    return tensor(returned[0], ops), returned[1]
