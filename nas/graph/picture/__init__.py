"""A network as a picture: a step for each level, a block for each stage, arrows and signs between them.

What is drawn is read off the graph (`stages`), placed (`columns`, `arrows`, `layout`) as plain shapes (`shapes`), and
written as text (`svg`).
"""

from nas.graph.nodes import Traced
from nas.graph.picture.differences import Difference, compare
from nas.graph.picture.layout import Drawn, Layout
from nas.graph.picture.svg import DARK, svg

__all__ = ["DARK", "Difference", "compare", "draw", "draw_both", "thumbnail"]


def draw(graph: Traced, title: str = "", *, tooltips: bool = True) -> str:
    """The network as the text of an SVG file, on a background of its own.

    Rows are resolutions; a block is a stage, with a slab for each of its units; grey arrows are the way through the
    network, the others skips, with a sign where they join it.

    Args:
        graph: the network.
        title: what it is called.
        tooltips: whether each block says what it is; without them the file is smaller.
    """
    return svg(Layout([Drawn(graph, title)]).sheet(), tooltips=tooltips)


def thumbnail(graph: Traced, title: str = "") -> str:
    """The same, small and without words, for lists."""
    return svg(Layout([Drawn(graph, title)], worded=False).sheet(), tooltips=False)


def draw_both(first: Traced, second: Traced, titles: tuple[str, str]) -> str:
    """Two networks side by side, their levels in common rows, what differs marked; see `compare` for that in words."""
    compared = compare(first, second)
    return svg(Layout([Drawn(first, titles[0], compared.first), Drawn(second, titles[1], compared.second)]).sheet())
