"""A report as one web page that asks nothing of a network: figures, drawings and scripts are inside it.

Names from outside are text wherever they stand: escaped in HTML, escaped again where Plotly reads tags, and data for
scripts stands in blocks that no browser runs. A policy in its head forbids the page every request.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nas.report import figures, libraries
from nas.report.commands import circumstances, commands
from nas.report.figures import Missing
from nas.report.headline import headline
from nas.report.images import Image, Images
from nas.report.markup import data_block, plain
from nas.report.material import Drawing, Material
from nas.report.networks import Network, networks, to_json
from nas.report.table import Table, shown
from nas.report.viewer import volumes

_POLICY = (
    "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)
_SCRIPTS = ("unpacking.js", "page.js", "volumes.js")
_ROWS = 100
"""Of a figure's table on the page; all of them are in its CSV."""


@dataclass(frozen=True)
class Shown:
    """A figure on the page."""

    name: str
    title: str
    height: int
    words: str
    table: Table | None = None
    picture: Mapping[str, Any] | None = field(default=None, compare=False)


def page(material: Material, images: Images | None = None) -> str:
    """The page as HTML."""
    top = headline(material)
    drawn = [_shown(name, material) for name in figures.names()]
    chosen = networks(material)
    body = [
        "<header>",
        f"<h1>{plain(top.title)}</h1>",
        f'<p class="faint">Written by nas on {material.moment:%d %B %Y, %H:%M} UTC.</p>',
        "</header>",
        "<main>",
        *_warnings(top.warnings),
        *_sentences(top.sentences),
        *_contents(drawn),
        *(line for shown_ in drawn for line in _figure(shown_, chosen)),
        *_images(images or Images(), _side_by_side(material)),
        *_winner(material),
        *_commands(material),
        "</main>",
        *_data(material, drawn, chosen),
    ]
    cases = () if images is None else images.cases
    if any(shown_.picture for shown_ in drawn):
        body.append(libraries.plotly())
    if any(case.volume for case in cases):
        body.append(libraries.niivue())
    return _document(top.title, body)


def _document(title: str, body: Sequence[str]) -> str:
    head = [
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        f"<title>{plain(title)}</title>",
        f"<style>{libraries.own('page.css')}</style>",
    ]
    scripts = [f"<script>{libraries.own(name)}</script>" for name in _SCRIPTS]
    whole = ["<!doctype html>", '<html lang="en">', "<head>", *head, "</head>", "<body>", *body, *scripts]
    return "\n".join([*whole, "</body>", "</html>", ""])


def _shown(name: str, material: Material) -> Shown:
    figure = figures.figure_of(name)
    values = figure.values(material)
    if isinstance(values, Missing):
        return Shown(name, figure.TITLE, figure.HEIGHT, values.reason)
    picture = figure.draw(values).to_plotly_json()
    return Shown(name, figure.TITLE, figure.HEIGHT, figure.words(values), figure.table(values), picture)


def _warnings(warnings: Sequence[str]) -> Iterator[str]:
    if warnings:
        yield '<ul class="warnings">'
        yield from (f"<li>{plain(warning)}</li>" for warning in warnings)
        yield "</ul>"


def _sentences(sentences: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield '<section class="headline">'
    for name, text in sentences:
        yield f"<h2>{plain(name)}</h2><p>{plain(text)}</p>"
    yield "</section>"


def _contents(drawn: Sequence[Shown]) -> Iterator[str]:
    yield '<nav aria-label="Contents"><ul>'
    yield from (f'<li><a href="#{shown_.name}">{plain(shown_.title)}</a></li>' for shown_ in drawn if shown_.picture)
    rest = (("images", "Cases"), ("winner", "The winner"), ("commands", "Commands and versions"))
    yield from (f'<li><a href="#{name}">{title}</a></li>' for name, title in rest)
    yield "</ul></nav>"


def _figure(shown_: Shown, chosen: Sequence[Network]) -> Iterator[str]:
    yield f'<section id="{shown_.name}"><h2>{plain(shown_.title)}</h2>'
    yield f'<p id="{shown_.name}-words">{plain(shown_.words)}</p>'
    if shown_.picture is not None:
        label = f'role="img" aria-label="{plain(shown_.title)}" aria-describedby="{shown_.name}-words"'
        plot = f'<div class="plot" data-figure="{shown_.name}" style="height:{shown_.height}px" {label}></div>'
        yield f'<div class="sideways">{plot}</div>'
    if shown_.table is not None:
        yield from _table(shown_.table)
    if shown_.name == "front" and chosen:
        yield from _chooser(chosen)
    yield "</section>"


def _table(table: Table) -> Iterator[str]:
    rows = table.rows[:_ROWS]
    count = f"{len(table.rows)} rows" if len(table.rows) > 1 else "1 row"
    yield f'<details class="table"><summary>As a table ({count})</summary>'
    yield '<div class="scroll" tabindex="0"><table><thead><tr>'
    yield "".join(f'<th scope="col">{plain(column)}</th>' for column in table.columns)
    yield "</tr></thead><tbody>"
    for row in rows:
        cells = (f"<td{_kind(cell)}>{plain(shown(cell))}</td>" for cell in row)
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"
    if len(rows) < len(table.rows):
        yield f'<p class="faint">The first {len(rows)} of {len(table.rows)} rows; all of them with --csv DIR.</p>'
    yield "</details>"


def _kind(cell: object) -> str:
    return ' class="number"' if isinstance(cell, int | float) else ""


def _chooser(chosen: Sequence[Network]) -> Iterator[str]:
    """One network in full, chosen in a figure or from a list."""
    yield '<div id="network" class="network"><label for="choose">Network</label> <select id="choose">'
    for network in chosen:
        yield f'<option value="{network.number}">{plain(_titled(network))}</option>'
    yield "</select>"
    yield '<div id="details" aria-live="polite"><p class="faint">Details need JavaScript.</p></div></div>'


def _titled(network: Network) -> str:
    facts = dict(network.facts)
    rank = facts.get("rank", "").split(" ")[0]
    name = network.name if network.name.startswith("trial ") else f"{network.name} (trial {network.number})"
    return f"{rank}. {name}" if rank else f"{name}, {facts.get('state', '')}"


def _side_by_side(material: Material) -> dict[str, int]:
    return {material.name(trial): trial.number for trial in (material.winner, material.rival) if trial is not None}


def _images(images: Images, trials: Mapping[str, int]) -> Iterator[str]:
    yield '<section id="images"><h2>Best, median and worst case</h2>'
    if not images.cases:
        yield f"<p>{plain(images.missing)}</p></section>"
        return
    yield '<ul class="legend">'
    for colour, name in images.legend:
        yield f'<li><span class="swatch" style="background:{plain(colour)}"></span>{plain(name)}</li>'
    yield "</ul>"
    for case in images.cases:
        yield f'<h3>{plain(case.title)}</h3><p>{plain(case.words)}</p><div class="panels">'
        for image in case.images:
            owner = (number for name, number in trials.items() if image.caption.removeprefix(name)[:2] in ("", ", "))
            number = next(owner, None)
            yield _picture(image, "" if number is None else f' data-of="{number}" data-case="{plain(case.title)}"')
        yield "</div>"
    yield from volumes(images)
    # Shown when their network is chosen; a template is nothing until a script takes it.
    for trial, pictures in images.of_networks.items():
        yield f'<template id="cases-{trial}">{"".join(map(_picture, pictures))}</template>'
    yield "</section>"


def _picture(image: Image, attributes: str = "") -> str:
    source = f"data:image/png;base64,{b64encode(image.png).decode()}"
    caption = f"<figcaption>{plain(image.caption)}</figcaption>"
    return f'<figure{attributes}><img src="{source}" alt="{plain(image.words)}">{caption}</figure>'


def _winner(material: Material) -> Iterator[str]:
    yield '<section id="winner"><h2>The winner as a network</h2>'
    drawing = None if material.winner is None else material.drawings.get(material.winner.number)
    pictures = [picture for picture in (drawing, material.beside) if picture is not None]
    if drawing is None:
        yield "<p>There is no network to draw.</p>"
    else:
        words = "Beside it U-Net, as everybody knows it. " if material.beside else ""
        yield f"<p>{words}Rows are resolutions; full arrows lead through the network, dashed ones are skips.</p>"
        yield '<div class="drawings">'
        yield from (_drawing(picture) for picture in pictures)
        yield "</div>"
    if material.source is not None:
        yield "<details><summary>Its source, which needs PyTorch alone</summary>"
        yield f'<pre tabindex="0"><code>{plain(material.source)}</code></pre></details>'
    yield "</section>"


def _drawing(drawing: Drawing) -> str:
    # As an image nothing in it is ever run, and its names meet nothing of the page's.
    source = f"data:image/svg+xml;base64,{b64encode(drawing.svg.encode()).decode()}"
    caption = f"<figcaption>{plain(drawing.name)}</figcaption>"
    return f'<figure><img src="{source}" alt="The network {plain(drawing.name)} as a drawing">{caption}</figure>'


def _commands(material: Material) -> Iterator[str]:
    yield '<section id="commands"><h2>Commands and versions</h2><dl class="commands">'
    for words, command in commands(material):
        yield f'<dt>{plain(words)}</dt><dd><code tabindex="0">{plain(command)}</code></dd>'
    yield "</dl><details><summary>Versions, seeds, digests, recipe</summary><table><tbody>"
    for name, value in circumstances(material):
        yield f'<tr><th scope="row">{plain(name)}</th><td>{plain(value)}</td></tr>'
    yield "</tbody></table></details></section>"


def _data(material: Material, drawn: Sequence[Shown], chosen: Sequence[Network]) -> Iterator[str]:
    """What the script reads, in blocks that are no scripts."""
    pictures = {shown_.name: shown_.picture for shown_ in drawn if shown_.picture is not None}
    drawings = {str(number): drawing.svg for number, drawing in material.drawings.items()}
    winner = None if material.winner is None else material.winner.number
    yield data_block("figures", pictures)
    yield data_block("networks", {"winner": winner, **to_json(chosen)})
    yield data_block("drawings", drawings)
