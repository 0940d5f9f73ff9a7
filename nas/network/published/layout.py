"""How the state dicts of one library are laid out, told by rules from their names to those of a graph's nodes."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ends:
    """The numbers of a network's last encoder stage and of its last, finest, decoder stage; -1 if it has none."""

    encoder: int
    decoder: int


Names = str | tuple[str, ...]
"""The node that a layer is, or several of which the first that exists and fits is meant.

"" is a layer that is left out: always if it stands alone, or if there is none of those before it.
"""

Rule = tuple[str, Callable[[re.Match[str], Ends], Names]]
"""What matches the path of a layer, and the node that it is."""


@dataclass(frozen=True)
class Layout:
    """The rules of one library.

    Args:
        source: its name.
        rules: the first that matches the whole path of a layer counts.
        reversed: matches the nodes whose inputs this library concatenates in the opposite order.
        turned: matches the layers that are transposed 1x1 convolutions there and plain ones here.
        is_encoder: whether it holds encoders alone, so that what follows the encoder is left as it is.
    """

    source: str
    rules: Sequence[Rule]
    reversed: str = "(?!)"
    turned: str = "(?!)"
    is_encoder: bool = False

    def node(self, layer: str, ends: Ends) -> Names | None:
        """The node that a layer is; None if no rule knows it."""
        for pattern, name in self.rules:
            if match := re.fullmatch(pattern, layer):
                return name(match, ends)
        return None


def nth(name: str, number: str | int) -> str:
    """The name of the first, second, ... layer of one kind in a part: conv, conv_2, ..."""
    return name if int(number) == 1 else f"{name}_{number}"


def only(name: str) -> Callable[[re.Match[str], Ends], Names]:
    """A node whose name holds the pattern's groups where it says {0}, {1}, ..."""
    return lambda match, ends: name.format(*match.groups())


left_out = only("")
