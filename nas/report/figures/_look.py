"""What all figures have in common: colours, marks, axes, and names as text."""

from html import escape
from typing import TYPE_CHECKING, Any

from nas.report.material import Role
from nas.wording import readable

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Told apart with any colour blindness, with a contrast of at least 3 to white and to the dark page; shapes differ too.
BLUE, ORANGE, GREEN, PURPLE, GREY = "#2f7fd1", "#cf6a0c", "#1d8f72", "#ae5a9e", "#7f8791"
COLOURS = {Role.WINNER: ORANGE, Role.PUBLISHED: BLUE, Role.SEARCHED: GREY}
SYMBOLS = {Role.WINNER: "star", Role.PUBLISHED: "square", Role.SEARCHED: "circle"}
SIZES = {Role.WINNER: 15, Role.PUBLISHED: 10, Role.SEARCHED: 7}
BRIEF = {"color": GREY, "symbol": "x-thin-open", "size": 6, "opacity": 0.5, "line": {"width": 1}}
"""The mark of a network that was not trained to the end."""
BANDS = (BLUE, ORANGE, GREEN, PURPLE, GREY, "#8a6d1f", "#4d7f99", "#a84848")
INK = "#3b4148"
"""Of words; the page puts its own in its place, by day and by night."""


def plain(text: str, most: int = 60) -> str:
    """Text from outside as Plotly shows it, which reads tags and entities: nothing of it is markup."""
    whole = readable(text)
    return escape(whole if len(whole) <= most else f"{whole[: most - 1]}…", quote=False)


def figure(traces: list[Any], **layout: Any) -> "Figure":
    """A figure of these traces on no ground of its own."""
    from plotly.graph_objects import Figure, Layout

    common = {
        "template": None,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "margin": {"l": 64, "r": 16, "t": 30, "b": 52},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "hoverlabel": {"align": "left"},
        "showlegend": True,
    }
    return Figure(data=traces, layout=Layout(**(common | layout)))


def axis(title: str, **more: Any) -> dict[str, Any]:
    """An axis with a title; the page colours its lines."""
    look = {
        "title": {"text": title, "standoff": 8},
        "gridcolor": "rgba(127,135,145,0.25)",
        "linecolor": "rgba(127,135,145,0.6)",
        "zeroline": False,
        "automargin": True,
    }
    return look | more


def marks(role: Role) -> dict[str, Any]:
    """How a network of a role is marked."""
    return {
        "color": COLOURS[role],
        "symbol": SYMBOLS[role],
        "size": SIZES[role],
        "opacity": 0.6 if role is Role.SEARCHED else 1.0,
    }
