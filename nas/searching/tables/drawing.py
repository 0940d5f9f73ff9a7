"""The comparison of strategies as one SVG: how far from the best they end, by what they may spend."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from nas.searching.tables.regret import NEAR, Results
from nas.searching.tables.standings import Standing

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#8c6d31")
"""Told apart with colour blindness (Okabe and Ito); where there are more lines they are dashed."""
_DASHES = ("", "6 3", "2 3")
_WIDTH, _HEIGHT = 860, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 620, 40, 430
_LINE = 16
"""Between two names at the right."""
_TICKS = (0.0, 0.1, 0.3, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


@dataclass(frozen=True)
class _Axes:
    """Trainings by their logarithms, and points by their roots, so that what is near 0 can be told apart."""

    first: float
    last: float
    worst: float

    def x(self, trainings: float) -> float:
        """Pixels from the left."""
        span = math.log(self.last / self.first) or 1.0
        return _LEFT + (_RIGHT - _LEFT) * math.log(trainings / self.first) / span

    def y(self, points: float) -> float:
        """Pixels from the top."""
        return _BOTTOM - (_BOTTOM - _TOP) * math.sqrt(min(max(points, 0.0), self.worst) / self.worst)


def drawing(results: Results, title: str) -> str:
    """The SVG: of each strategy the median over seeds and its interval, those that end best named first."""
    by_name = {name: [s for s in results.standings if s.strategy == name] for name in results.of.names}
    seen = [100 * s.middle for s in results.standings if math.isfinite(s.middle)]
    budgets = results.of.budgets
    axes = _Axes(budgets[0], budgets[-1], max([*seen, 1.0]))
    what = "missing hypervolume, %" if results.by_front else "Dice points from the best"
    near = None if results.by_front else 100 * NEAR
    lines = [_line(standings, number, axes) for number, standings in enumerate(by_name.values())]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
            f'font-size="12" role="img" aria-label="{escape(title)}">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
            f'<text x="{_LEFT}" y="22" font-size="14" font-weight="bold">{escape(title)}</text>',
            *_grid(axes, budgets, what, near),
            *lines,
            *_names(by_name, axes),
            "</svg>\n",
        ]
    )


def _grid(axes: _Axes, budgets: Sequence[int], what: str, near: float | None) -> list[str]:
    rows = []
    for tick in (tick for tick in _TICKS if tick <= axes.worst):
        y = axes.y(tick)
        rows.append(f'<path d="M{_LEFT} {y:.1f}H{_RIGHT}" stroke="#dddddd"/>')
        rows.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for budget in budgets:
        rows.append(f'<text x="{axes.x(budget):.1f}" y="{_BOTTOM + 18}" text-anchor="middle">{budget}</text>')
    middle = (_LEFT + _RIGHT) / 2
    rows.append(f'<text x="{middle}" y="{_BOTTOM + 38}" text-anchor="middle">whole trainings spent</text>')
    centre = (_TOP + _BOTTOM) / 2
    rows.append(
        f'<text x="18" y="{centre}" text-anchor="middle" transform="rotate(-90 18 {centre})">{escape(what)}</text>'
    )
    if near is not None and near <= axes.worst:
        rows.append(f'<path d="M{_LEFT} {axes.y(near):.1f}H{_RIGHT}" stroke="#888888" stroke-dasharray="1 3"/>')
    return rows


def _line(standings: Sequence[Standing], number: int, axes: _Axes) -> str:
    """A median with its interval behind it."""
    known = [one for one in standings if math.isfinite(one.middle)]
    colour, dash = _look(number)
    points = [(axes.x(one.budget), axes.y(100 * one.middle)) for one in known]
    low = [(axes.x(one.budget), axes.y(100 * one.interval[0])) for one in known]
    high = [(axes.x(one.budget), axes.y(100 * min(one.interval[1], 1.0))) for one in known]
    band = " ".join(f"{x:.1f},{y:.1f}" for x, y in [*low, *reversed(high)])
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<polygon points="{band}" fill="{colour}" fill-opacity="0.1"/>'
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>{dots}'
    )


def _names(by_name: dict[str, list[Standing]], axes: _Axes) -> list[str]:
    """Names at the ends of their lines, pushed apart."""
    numbers = {name: number for number, name in enumerate(by_name)}
    ends = {name: _end(standings, axes) for name, standings in by_name.items()}
    rows, above = [], -math.inf
    order = sorted(ends, key=lambda name: (ends[name], numbers[name]))
    room = max(_BOTTOM - _LINE * (len(order) - 1), _TOP)
    for place, name in enumerate(order):
        y = max(min(ends[name], room + _LINE * place), above + _LINE)
        above = y
        colour, dash = _look(numbers[name])
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        rows.append(
            f'<path d="M{_RIGHT + 2} {ends[name]:.1f}L{_RIGHT + 12} {y:.1f}H{_RIGHT + 24}" fill="none" '
            f'stroke="{colour}"{dashed}/>'
            f'<text x="{_RIGHT + 28}" y="{y + 4:.1f}" fill="{colour}">{escape(name)}</text>'
        )
    return rows


def _end(standings: Sequence[Standing], axes: _Axes) -> float:
    last = standings[-1].middle
    return axes.y(100 * last) if math.isfinite(last) else _TOP


def _look(number: int) -> tuple[str, str]:
    return _COLOURS[number % len(_COLOURS)], _DASHES[number // len(_COLOURS) % len(_DASHES)]
