"""What a picture is made of: plain values with coordinates, from which SVG is written."""

from dataclasses import dataclass
from typing import Literal

Point = tuple[float, float]
Role = Literal["flow", "skip"]


@dataclass(frozen=True)
class Word:
    """A text. `role` is ink, muted or mark."""

    x: float
    y: float
    text: str
    size: float
    role: str = "ink"
    anchor: str = "start"
    bold: bool = False


@dataclass(frozen=True)
class Line:
    """An arrow along points, or a line without a head."""

    points: tuple[Point, ...]
    role: Role
    has_head: bool = True


@dataclass(frozen=True)
class Sign:
    """Where ways meet: "concatenate", "add", "gate", or "" where it is something else."""

    x: float
    y: float
    kind: str


@dataclass(frozen=True)
class Block:
    """A stage as it is drawn: so many slabs, or bars with what they do; `told` is its text alternative."""

    name: str
    kind: str
    told: str
    left: float
    top: float
    width: float
    height: float
    units: int
    branches: tuple[str, ...] = ()
    is_plain: bool = False
    is_marked: bool = False

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


@dataclass(frozen=True)
class Band:
    """The stripe of a level."""

    top: float
    height: float


@dataclass(frozen=True)
class Sheet:
    """A whole picture. `kinds` are those of its blocks, in the order in which they get their colours."""

    title: str
    description: str
    width: float
    height: float
    kinds: tuple[str, ...]
    bands: tuple[Band, ...]
    lines: tuple[Line, ...]
    blocks: tuple[Block, ...]
    signs: tuple[Sign, ...]
    words: tuple[Word, ...]
