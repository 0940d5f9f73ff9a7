"""A sheet as one web page that needs no network: pictures are inside it, and names are text."""

from base64 import b64encode
from collections.abc import Iterator
from html import escape
from io import BytesIO
from typing import Any

from nas.data.drawing.picture import sample
from nas.data.showing.sheet import Amount, CaseView, Sheet, figure

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 74rem; padding: 0 1rem; color: #1a1a1a; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 0; overflow-wrap: anywhere; }
h1, td, li, figcaption { overflow-wrap: anywhere; }
section { border-top: 1px solid #bbb; margin-top: 1.2rem; padding-top: .8rem; }
.facts { color: #555; margin: .1rem 0 .6rem; }
.panels { display: flex; flex-wrap: wrap; gap: .8rem; align-items: flex-end; }
figure { margin: 0; }
figcaption { font-size: .8rem; color: #555; max-width: 21rem; }
img { display: block; max-width: 100%; }
.warnings { margin: .5rem 0; padding: .4rem .8rem .4rem 2rem; border: 2px solid #1a1a1a; background: #fff6d6; }
table { border-collapse: collapse; margin: .6rem 0; font-size: .85rem; }
td, th { padding: .1rem .6rem .1rem 0; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.bar { position: relative; width: 12rem; height: .8rem; border: 1px solid #666; }
.bar i { position: absolute; inset: 0 auto 0 0; background: #666; }
.bar b { position: absolute; top: -3px; bottom: -3px; width: 2px; background: #000; outline: 1px solid #fff; }
"""


def page(sheet: Sheet) -> str:
    """The page as HTML."""
    body = "\n".join(
        [
            f"<h1>{escape(sheet.title)}</h1>",
            f'<p class="facts">{escape(sheet.facts)}</p>',
            *_legend(sheet),
            *_warnings(sheet.warnings),
            *(line for case in sheet.cases for line in _case(case)),
        ]
    )
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(sheet.title)}</title>'
    )
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n'
    )


def _legend(sheet: Sheet) -> Iterator[str]:
    yield "<table><tr><th>number</th><th>outline</th><th>class</th></tr>"
    for style in sheet.classes:
        line = _image(sample(style), "")
        yield f'<tr><td class="number">{style.number}</td><td>{line}</td><td>{escape(style.name)}</td></tr>'
    yield "</table>"


def _warnings(warnings: tuple[str, ...]) -> Iterator[str]:
    if warnings:
        yield '<ul class="warnings">'
        yield from (f"<li>warning: {escape(warning)}</li>" for warning in warnings)
        yield "</ul>"


def _case(case: CaseView) -> Iterator[str]:
    yield f"<section><h2>{escape(case.name)}</h2>"
    yield f'<p class="facts">{escape(case.reason)}: {escape(case.facts)}</p>'
    yield from _warnings(case.warnings)
    yield '<div class="panels">'
    for panel in case.panels:
        alternative = f"{case.name}: {panel.caption}"
        yield f"<figure>{_image(panel.picture, alternative)}<figcaption>{escape(panel.caption)}</figcaption></figure>"
    yield "</div><table>"
    for amount in case.amounts:
        yield _amount(amount, case.unit)
    yield "</table>"
    if case.absent:
        yield f'<p class="facts">not in this case: {escape(", ".join(case.absent))}</p>'
    yield "</section>"


def _amount(amount: Amount, unit: str) -> str:
    share, median = (min(part / amount.most, 1) * 100 if amount.most else 0 for part in (amount.amount, amount.median))
    bar = f'<div class="bar"><i style="width:{share:.1f}%"></i><b style="left:{median:.1f}%"></b></div>'
    return (
        f'<tr><td class="number">{amount.style.number}</td><td>{escape(amount.style.name)}</td>'
        f'<td class="number">{figure(amount.amount)} {unit}</td><td>{bar}</td>'
        f"<td>median of the cases {figure(amount.median)}, most {figure(amount.most)}</td></tr>"
    )


def _image(picture: Any, alternative: str) -> str:
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    content = b64encode(buffer.getvalue()).decode()
    return (
        f'<img src="data:image/png;base64,{content}" width="{picture.width}" alt="{escape(alternative, quote=True)}">'
    )
