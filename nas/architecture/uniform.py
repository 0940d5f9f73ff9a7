"""Parts that take one decision for a whole network: which family its blocks are of, and how its skips join.

A space whose every level decides for itself has millions of members. One of these parts, with a `shared` choice in it,
makes a space of a few hundred, all of which can be trained.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nas.architecture.blocks import Basic, Dense, MedNext, Plain, PreActivation, SplitAttention, SqueezeExcite
from nas.architecture.bridges import ASPP
from nas.architecture.encoder_decoder import Wide
from nas.architecture.part import Block, Features, Site
from nas.architecture.skips import Add, Concatenate, Gate, Skip
from nas.graph import Ops, Tensor
from nas.space import knob

FAMILIES: Mapping[str, Callable[[Site], Block]] = {
    "plain": lambda _: Plain(2),
    "residual": lambda _: Basic(1),
    "squeeze_excite": lambda _: Basic(1, SqueezeExcite(4)),
    "pre_activation": lambda _: PreActivation(1),
    # Half the site's width thrice: about as many channels come out as of the other families.
    "dense": lambda site: Dense(3, max(site.width // 2, 2), carry=False),
    "mednext": lambda _: MedNext(1, 2),
    "split_attention": lambda _: SplitAttention(1),
}
"""The block of a small network of each family, at a site."""

SKIPS: Mapping[str, Skip] = {"concatenate": Concatenate(), "add": Add(), "gate": Gate()}


@dataclass(frozen=True)
class FamilyBlock:
    """A small block of the family that one word names."""

    family: str = knob("plain", words=tuple(FAMILIES))

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        return FAMILIES[self.family](site)(x, ops, site)


@dataclass(frozen=True)
class Join:
    """The skip that one word names."""

    how: str = knob("concatenate", words=tuple(SKIPS))

    def __call__(self, feature: Tensor, coarse: Tensor, x: Tensor, ops: Ops) -> Tensor:
        """Write the join."""
        return SKIPS[self.how](feature, coarse, x, ops)


@dataclass(frozen=True)
class Pyramid:
    """A pyramid of dilations and one wide step up, as in DeepLabv3+, as wide as half of what it is given."""

    block: Block = Plain()

    def __call__(self, x: Tensor, features: Features, ops: Ops, maximum: int) -> tuple[Tensor, ...]:
        """Write the decoder; returns its one tensor."""
        width = max(x.channels // 2, 4)
        with ops.scope("pyramid"):
            x = ASPP(rate=1, width=width, dropout=0.1)(x, ops)
        return Wide(self.block, width, max(width // 2, 4))(x, features, ops, maximum)
