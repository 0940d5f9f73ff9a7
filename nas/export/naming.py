"""What the classes of an exported file are called, and what their docstrings say."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from keyword import iskeyword

from nas.export.classes import Class
from nas.export.tree import Module

_TAKEN = frozenset(("F", "Module", "Tensor", "nn", "torch"))
_MOST_EXTRAS = 2


@dataclass(frozen=True)
class Title:
    """A class's name and docstring, and what it has that others of its kind do not."""

    name: str
    description: str
    extras: tuple[str, ...] = ()


def titles(classes: Sequence[Class]) -> list[Title]:
    """For each class. Of several of one kind the simplest has the kind's name and description, the others say more."""
    kinds: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(classes):
        kinds[item.template.kind].append(index)
    found: dict[int, Title] = {}
    taken = {*_TAKEN}
    # Kinds in the order in which they are complete: what a submodule is called may name the module.
    for kind, indices in sorted(kinds.items(), key=lambda entry: max(entry[1])):
        words = {index: _words(classes[index], found) for index in indices}
        simplest = min(indices, key=lambda index: (len(words[index]), index))
        name = _free(kind if kind.isidentifier() and not iskeyword(kind) else "Part", taken)
        found[simplest] = Title(name, _without_knobs(classes[simplest].modules[0].description))
        for index in indices:
            if index != simplest:
                found[index] = _variant(name, words[index], words[simplest], taken)
    return [found[index] for index in range(len(classes))]


def _without_knobs(description: str) -> str:
    """A part's docstring, all but its beginning without what it says of the part's own fields: the class has none."""
    kept = []
    for number, sentence in enumerate(re.split(r"(?<!al)(?<=\.)\s+", description)):
        clauses = list(takewhile(lambda clause: "`" not in clause, re.split(r"(?<=;)\s+", sentence)))
        if number == 0 and not clauses:
            clauses = [sentence]
        kept += [" ".join(clauses).rstrip(";.") + "."] if clauses else []
    return " ".join(kept)


def _variant(base: str, words: dict[str, str], known: dict[str, str], taken: set[str]) -> Title:
    """The title of a class with words that the simplest of its kind lacks."""
    extras = tuple(word for word in words if word not in known)
    named = [word for word in extras if words[word] == "name"] or list(extras)
    if 0 < len(named) <= _MOST_EXTRAS:
        name = f"{base}With{'And'.join(_camel(word) for word in named)}"
        return Title(_free(name, taken), f"A `{base}` with {' and '.join(named)}.", tuple(named))
    return Title(_free(base, taken), f"Another form of `{base}`.")


def _words(item: Class, found: dict[int, Title]) -> dict[str, str]:
    """What it is made of: the names of its steps, the kinds of its submodules and what those have beyond others."""
    module = item.modules[0]
    steps = [step.name.rpartition(".")[2] for step in module.steps]
    words = {step.rstrip("_0123456789"): "name" for step in steps if not step.isdigit()}
    words |= {step.does.kind: "kind" for step in module.steps if isinstance(step.does, Module)}
    return words | {extra: "extra" for index in item.uses if index in found for extra in found[index].extras}


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}{number}", number + 1
    taken.add(name)
    return name


def _camel(word: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in word.split("_"))
