"""A space as a notebook shows it."""

from html import escape
from typing import TYPE_CHECKING, Any

from nas.space.choices import OneOf

if TYPE_CHECKING:
    from nas.space.space import Space

_SHOWN = 200
"""Letters of what a choice offers; a page (`nas spaces show --to`) has the rest."""


def space_html(space: "Space[Any]") -> str:
    """Its name, size, choices and published networks, all of them text."""
    size = space.size()
    count = "infinitely many" if size is None else f"{size:,}" if size < 10**7 else f"about 10^{len(str(size)) - 1}"
    published = ", ".join(space.references)
    rows = "".join(
        f"<tr><td style='text-align:left'><code>{escape(path)}</code></td>"
        f"<td style='text-align:left'>{escape(_offered(choice))}</td></tr>"
        for path, choice in space.choices().items()
    )
    return (
        f"<div><p><b>{escape(space.name)}</b>: {escape(space.description)} {count} networks.</p>"
        f"<p>Published: {escape(published) or 'none'}.</p>"
        f"<details><summary>{len(space.choices())} choices</summary>"
        f"<table><thead><tr><th>where</th><th>what it offers</th></tr></thead><tbody>{rows}</tbody></table>"
        "</details></div>"
    )


def _offered(choice: Any) -> str:
    if isinstance(choice, OneOf):
        text = ", ".join(str(label) for label in choice.labels)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."
    return f"{choice.low} to {choice.high}"
