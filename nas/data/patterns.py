"""Patterns of paths, such as "{case}/{case}_flair.nii.gz": where the files of a layout lie, and what their names say.

A placeholder {name} stands for some text inside one folder's or file's name, and for the same text where it is again.
`*`, `?` and `[0-9]` are the shell's, `**` stands for any folders, none too. As in a shell, hidden files fit only a
pattern that begins with a dot.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ANYWHERE = "**"
_PARTS = re.compile(r"\{([a-z][a-z_]*)\}|(\*)|(\?)|(\[[^\[\]/]+\])")


@dataclass(frozen=True)
class Match:
    """A file (or a folder, as of a DICOM series) that fits, and the text of each placeholder."""

    path: Path
    texts: Mapping[str, str]


def placeholders(pattern: str) -> tuple[str, ...]:
    """The names in braces, each once, in the order of the pattern."""
    return tuple(dict.fromkeys(match[1] for match in _PARTS.finditer(pattern) if match[1]))


def filled(template: str, texts: Mapping[str, str]) -> str:
    """The template with the texts in the place of its placeholders."""
    return re.sub(r"\{([a-z][a-z_]*)\}", lambda match: texts[match[1]], template)


def problem_of(pattern: str) -> str | None:
    """What is wrong with a pattern, None where nothing is."""
    if not pattern:
        return "an empty pattern"
    if pattern.startswith(("/", "\\", "~")) or ".." in pattern.split("/"):
        return "a path that leaves the folder of the data"
    bare = re.sub(r"\{[a-z][a-z_]*\}", "", pattern)
    if "{" in bare or "}" in bare:
        return "a brace that is no placeholder such as {case}"
    try:
        for part in pattern.split("/"):
            _expression(part, {}, {})
    except re.error:
        return "brackets that hold no range of characters such as [0-9]"
    return None


def find(folder: Path, pattern: str, limits: Mapping[str, str] | None = None) -> Iterator[Match]:
    """All that fits in the folder, sorted by path.

    Args:
        folder: where the pattern begins.
        pattern: parts divided by slashes.
        limits: what the text of a placeholder looks like, as a shell's pattern: {"frame": "[0-9][0-9]"}.
    """
    yield from _find(folder, [part for part in pattern.split("/") if part != "."], {}, limits or {})


def _find(folder: Path, parts: list[str], texts: dict[str, str], limits: Mapping[str, str]) -> Iterator[Match]:
    if not parts:
        yield Match(folder, texts)
        return
    part, rest = parts[0], parts[1:]
    if part == ANYWHERE:
        yield from _find(folder, rest, texts, limits)
        for name in _names(folder):
            below = folder / name
            if not name.startswith(".") and below.is_dir() and not below.is_symlink():  # a link may lead back up
                yield from _find(below, parts, texts, limits)
        return
    if _is_known(part, texts):
        path = folder / filled(part, texts)
        if os.path.lexists(path):  # also a broken link: its file is missed later, by name
            yield from _find(path, rest, texts, limits)
        return
    expression = _expression(part, texts, limits)
    for name in _names(folder):
        match = expression.fullmatch(name)
        if match and (part.startswith(".") or not name.startswith(".")) and (not rest or (folder / name).is_dir()):
            yield from _find(folder / name, rest, texts | match.groupdict(), limits)


def _is_known(part: str, texts: Mapping[str, str]) -> bool:
    """Whether the part is plain text once its placeholders are filled in."""
    return all(match[1] in texts for match in _PARTS.finditer(part))


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except NotADirectoryError:
        return []


def _expression(part: str, texts: Mapping[str, str], limits: Mapping[str, str]) -> re.Pattern[str]:
    named: set[str] = set()

    def translate(match: re.Match[str]) -> str:
        name = match[1]
        if not name:
            return _globbed(match[0])
        if name in texts:
            return re.escape(texts[name])
        if name in named:
            return f"(?P={name})"
        named.add(name)
        return f"(?P<{name}>{_limit(limits[name]) if name in limits else '.+?'})"

    return re.compile(_translated(part, translate), re.DOTALL)


def _limit(glob: str) -> str:
    return _translated(glob, lambda match: re.escape(match[0]) if match[1] else _globbed(match[0]))


def _translated(text: str, translate: Callable[[re.Match[str]], str]) -> str:
    """A regular expression of a text: what is special by `translate`, all else as it stands."""
    pieces, end = [], 0
    for match in _PARTS.finditer(text):
        pieces += [re.escape(text[end : match.start()]), translate(match)]
        end = match.end()
    return "".join([*pieces, re.escape(text[end:])])


def _globbed(special: str) -> str:
    if special in "*?":
        return ".*" if special == "*" else "."
    inside = special[1:-1].replace("\\", "\\\\")
    return f"[^{inside[1:]}]" if inside[0] == "!" and inside[1:] else f"[{inside}]"
