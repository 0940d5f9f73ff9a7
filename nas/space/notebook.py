"""A space as a notebook shows it."""

from collections.abc import Iterable, Mapping
from html import escape

from nas.space.choices import Choice, OneOf

_SHOWN = 200
"""Letters of what a choice offers; a page (`nas spaces show --to`) has the rest."""


def space_html(
    name: str, description: str, size: int | None, references: Iterable[str], choices: Mapping[str, Choice]
) -> str:
    """Its name, size, choices and published networks, all of them text."""
    count = "infinitely many" if size is None else f"{size:,}" if size < 10**7 else f"about 10^{len(str(size)) - 1}"
    published = ", ".join(references)
    rows = "".join(
        f"<tr><td style='text-align:left'><code>{escape(path)}</code></td>"
        f"<td style='text-align:left'>{escape(_offered(choice))}</td></tr>"
        for path, choice in choices.items()
    )
    return (
        f"<div><p><b>{escape(name)}</b>: {escape(description)} {count} networks.</p>"
        f"<p>Published: {escape(published) or 'none'}.</p>"
        f"<details><summary>{len(choices)} choices</summary>"
        f"<table><thead><tr><th>where</th><th>what it offers</th></tr></thead><tbody>{rows}</tbody></table>"
        "</details></div>"
    )


def _offered(choice: Choice) -> str:
    if isinstance(choice, OneOf):
        text = ", ".join(str(label) for label in choice.labels)
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."
    return f"{choice.low} to {choice.high}"
