"""A space as one web page that needs no network: pictures are inside it, and all names are text."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from nas.architecture import EncoderDecoder
from nas.gallery.choices import Option, ShownChoice, shown_choices
from nas.gallery.members import Member, members
from nas.graph.picture import DARK
from nas.space import Space

STYLE = (
    """
:root { color-scheme: light dark; --ink: #1a1a1a; --muted: #5c5c5c; --line: #c9ccd0; --paper: #fff; --band: #f5f6f7; }
body { font: 15px/1.5 Helvetica, Arial, 'DejaVu Sans', sans-serif; margin: 1.5rem auto; max-width: 76rem;
  padding: 0 1rem; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1.05rem; margin: 0 0 .3rem; }
a { color: inherit; } code, pre { font-size: .86em; overflow-wrap: anywhere; }
.muted { color: var(--muted); }
nav ul { columns: 15rem; padding-left: 1.1rem; margin: .4rem 0; }
article { border-top: 1px solid var(--line); padding: 1rem 0; break-inside: avoid; }
figure { margin: .4rem 0; overflow-x: auto; } figure svg { max-width: 100%; height: auto; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; margin: .3rem 0; font-size: .88rem; }
dl.facts dt { color: var(--muted); } dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; table-layout: fixed; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-top: 1px solid var(--line);
  overflow-wrap: anywhere; }
th:nth-child(1) { width: 25%; } th:nth-child(2) { width: 28%; }
td p { margin: 0 0 .4rem; } td dl { margin: 0; } td dt { font-weight: bold; }
td dd { margin: 0 0 .4rem; }
tr { break-inside: avoid; }
@media print { body { max-width: none; font-size: 10pt; } nav { display: none; }
  figure svg { max-height: 9.5cm; } a { text-decoration: none; } }
@media (max-width: 40rem) { dl.facts { grid-template-columns: 1fr; } }
@media screen and (prefers-color-scheme: dark) {
:root { --ink: #e8e8e8; --muted: #a9a9a9; --line: #3a3f45; --paper: #17191c; --band: #202327; }
"""
    + DARK
    + "\n}\n"
)

_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
_CODE = re.compile(r"`([^`]*)`")


def page(space: Space[EncoderDecoder]) -> str:
    """The page as HTML."""
    shown, choices = members(space), shown_choices(space)
    body = "\n".join([*_head(space, shown, choices), *_members(shown), *_choices(choices)])
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(space.name)}, a search space of nas</title><style>{STYLE}</style>"
    )
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def linked(text: str) -> str:
    """A text as HTML: code between backticks, papers as links, all else as it is."""
    return _CODE.sub(r"<code>\1</code>", _ARXIV.sub(r'<a href="https://arxiv.org/abs/\1">arXiv:\1</a>', escape(text)))


def _head(space: Space[EncoderDecoder], shown: Sequence[Member], choices: Sequence[ShownChoice]) -> Iterator[str]:
    size = space.size()
    count = "infinitely many" if size is None else f"{size:,}" if size < 10**7 else f"about 10^{len(str(size)) - 1}"
    yield f"<h1>{escape(space.name)}</h1>"
    yield f"<p>{linked(space.description)}</p>"
    yield (
        f'<p class="muted">{count} networks in {len(choices)} choices, {len(shown)} of them published. '
        f"Made by <code>nas spaces show</code>.</p>"
    )
    if shown:
        yield '<nav aria-label="published networks"><ul>'
        yield from (f'<li><a href="#{_anchor(member)}">{escape(member.name)}</a></li>' for member in shown)
        yield '<li><a href="#choices">all choices</a></li></ul></nav>'


def _anchor(member: Member) -> str:
    return "network-" + (re.sub(r"[^a-z0-9]+", "-", member.name.lower().replace("+", "p")).strip("-") or "unnamed")


def _members(shown: Sequence[Member]) -> Iterator[str]:
    if shown:
        yield "<h2>Published networks</h2>"
    for member in shown:
        yield f'<article id="{_anchor(member)}"><h3>{escape(member.name)}</h3>'
        yield '<dl class="facts">'
        yield f"<dt>source</dt><dd>{linked(member.source)}</dd>"
        yield from (f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>" for name, fact in member.facts)
        yield f"</dl><figure>{member.picture}</figure></article>"


def _choices(choices: Sequence[ShownChoice]) -> Iterator[str]:
    yield '<h2 id="choices">Choices</h2>'
    yield '<table><thead><tr><th scope="col">where</th><th scope="col">what it is</th>'
    yield '<th scope="col">what it offers</th></tr></thead><tbody>'
    for choice in choices:
        paths = "<br>".join(f"<code>{escape(path)}</code>" for path in choice.paths)
        of = f'<p class="muted">{escape(choice.knob)} of {escape(choice.part)}</p>' if choice.part else ""
        meaning = f"<p>{linked(choice.meaning)}</p>" if choice.meaning else ""
        yield f"<tr><td>{paths}</td><td>{of}{meaning}</td><td>{_offers(choice)}</td></tr>"
    yield "</tbody></table>"


def _offers(choice: ShownChoice) -> str:
    if choice.range:
        return escape(choice.range)
    if not any(option.meaning for option in choice.options):
        return ", ".join(escape(f"{option.label}{_rarely(option, choice)}") for option in choice.options)
    items = (
        f"<dt><code>{escape(option.label)}</code>{escape(_rarely(option, choice))}</dt><dd>{_paragraphs(option)}</dd>"
        for option in choice.options
    )
    return f"<dl>{''.join(items)}</dl>"


def _rarely(option: Option, choice: ShownChoice) -> str:
    """How often an option is proposed, where that is not as often as the others."""
    if not option.weight:
        return " (not proposed)"
    total = sum(other.weight for other in choice.options)
    is_even = len({other.weight for other in choice.options if other.weight}) == 1
    return "" if is_even else f" ({option.weight} of {total} proposals)"


def _paragraphs(option: Option) -> str:
    paragraphs = (" ".join(paragraph.split()) for paragraph in option.meaning.split("\n\n"))
    return "".join(f"<p>{linked(paragraph)}</p>" for paragraph in paragraphs if paragraph)
