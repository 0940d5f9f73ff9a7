"""What every part of an architecture knows: where it stands, and which of its numbers are widths."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass, replace
from inspect import signature
from typing import Any, Protocol, TypeVar

from nas.errors import InputError, own_code
from nas.graph import Axes, Ops, Tensor
from nas.space.knobs import TAKES, Takes

T = TypeVar("T")

LADDER = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""The widths that spaces offer. Every published width is a rung, and a network is slimmed rung by rung."""

DEPTHS = (1, 2, 3, 4, 5, 7, 10, 12, 15, 23)
"""The depths that spaces offer: a network is made shallower rung by rung."""

SMALLEST, FEWEST = "smallest", "fewest"
"""In a field's metadata: it is a width, or a depth, and how far it may be made smaller."""

WIDEST = 65_536
"""Channels of anything at most: far beyond what any machine holds, so that a slip of the pen is refused."""


@dataclass(frozen=True)
class Site:
    """Where a block stands: the channels it is to make, and the stride and dilation it is to take."""

    width: int
    stride: Axes
    dilation: int = 1


class Block(Protocol):
    """What sits at one level of an encoder or decoder.

    A block is a frozen dataclass of its knobs whose call writes it in primitive operations. It makes
    `site.width` channels unless its own knobs say otherwise, and takes the site's stride and dilation.
    """

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor: ...  # noqa: D102


Features = dict[int, Tensor]
"""The encoder's last tensor at each level, full resolution being level 0."""


class Decoder(Protocol):
    """What comes back from the encoder's last tensor, `x`, to finer resolutions.

    It returns one tensor for each stage, finest first; `maximum` is the most channels that the architecture allows.
    """

    def __call__(self, x: Tensor, features: Features, ops: Ops, maximum: int) -> tuple[Tensor, ...]: ...  # noqa: D102


def width_field(default: int, smallest: int = 4) -> int:
    """A field that counts channels: `slim` makes it smaller, down to `smallest`."""
    number: int = field(default=default, metadata={SMALLEST: smallest, TAKES: Takes(low=1, high=WIDEST)})
    return number


def depth_field(default: int, fewest: int = 1, most: int = 100) -> int:
    """A field that counts layers or units: a published network too slow at any width has fewer, down to `fewest`."""
    number: int = field(default=default, metadata={FEWEST: fewest, TAKES: Takes(low=1, high=most)})
    return number


def slim(part: T, rungs: int) -> T:
    """The same architecture, all its widths `rungs` steps down the ladder (two steps halve them)."""
    if not is_dataclass(part) or isinstance(part, type):
        return part
    changed: dict[str, Any] = {}
    for item in fields(part):
        value = getattr(part, item.name)
        if SMALLEST in item.metadata:
            changed[item.name] = _lower(value, rungs, item.metadata[SMALLEST])
        elif isinstance(value, tuple):
            changed[item.name] = tuple(slim(element, rungs) for element in value)
        else:
            changed[item.name] = slim(value, rungs)
    with own_code(lambda: type(part).__name__):
        return replace(part, **changed)


def _lower(channels: int, rungs: int, smallest: int) -> int:
    if channels not in LADDER:
        return channels
    floor = min(LADDER.index(smallest), LADDER.index(channels))
    return LADDER[max(LADDER.index(channels) - rungs, floor)]


def strides_at(level: int, ops: Ops) -> Axes:
    """The strides of a tensor that came down so many levels."""
    strides = (1,) * ops.task.axes
    for passed in range(level):
        strides = tuple(a * b for a, b in zip(strides, ops.task.stride(passed), strict=True))
    return strides


def call(part: object, *arguments: Any, ops: Ops) -> Any:
    """What a part returns for these arguments.

    Raises:
        InputError: it is no part that can stand where it stands.
    """
    if not callable(part):
        raise InputError(f"{ops.here()}: {type(part).__name__} has no __call__; expected a part that can stand here")
    try:
        signature(part).bind(*arguments)
    except TypeError as error:
        types = ", ".join(type(argument).__name__ for argument in arguments)
        raise InputError(f"{ops.here()}: {type(part).__name__} cannot be called with ({types}): {error}") from None
    return part(*arguments)


def tensor(returned: object, ops: Ops, strides: Axes | None = None) -> Tensor:
    """What a part has returned, if it is a tensor that the next part can take, at the resolution that it must have.

    Raises:
        InputError: it is something else.
    """
    if not isinstance(returned, Tensor):
        raise InputError(f"{ops.here()}: returned {_a(returned)}, expected a tensor")
    if not returned.strides:
        raise InputError(f"{ops.here()}: returned a pooled tensor; bring it back to positions with ops.expand")
    if returned.surplus:
        raise InputError(f"{ops.here()}: returned a tensor longer or shorter than the image; bring it to size with pad")
    if strides is not None and returned.strides != strides:
        raise InputError(f"{ops.here()}: returned a tensor of strides {returned.strides}, expected {strides}")
    return returned


def tensors(returned: object, ops: Ops) -> tuple[Tensor, ...]:
    """The same of a part that returns one tensor or more in a tuple."""
    if not isinstance(returned, tuple) or not returned:
        raise InputError(f"{ops.here()}: returned {_a(returned)}, expected a tuple of at least one tensor")
    return tuple(tensor(item, ops) for item in returned)


def levels(part: object, most: int, ops: Ops) -> int:
    """How many levels a stem or a downsampling comes down.

    Raises:
        InputError: it does not say so, or says something else.
    """
    number = getattr(part, "levels", None)
    if not isinstance(number, int) or not 0 <= number <= most:
        raise InputError(
            f"{ops.here()}: {type(part).__name__}.levels is {number!r}, expected how many levels it comes down, "
            f"from 0 to {most}"
        )
    return number


def _a(returned: object) -> str:
    if returned is None or returned == ():
        return "nothing"
    name = type(returned).__name__
    return f"an {name}" if name[0] in "AEIOUaeiou" else f"a {name}"


def in_a_row(count: int, unit: Callable[[Tensor, Ops, Site], Tensor], x: Tensor, ops: Ops, site: Site) -> Tensor:
    """The same unit `count` times, each in a scope of its number; the first takes the site's stride."""
    for index in range(count):
        with ops.scope(index):
            x = unit(x, ops, site)
        site = replace(site, stride=(1,) * len(site.stride))
    return x


def is_strided(stride: Axes) -> bool:
    """Whether a stride shrinks any axis."""
    return any(step > 1 for step in stride)


def window(kernel: int, stride: Axes) -> Axes:
    """A kernel of even size shrinks to 1 along axes that are not strided, where it would shift the image."""
    return tuple(kernel if step > 1 or kernel % 2 else 1 for step in stride)
