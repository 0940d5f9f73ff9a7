"""What the classes of an exported file are called, and what their docstrings say."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from nas.export.classes import Class
from nas.export.members import is_attribute
from nas.export.tree import Module, Step
from nas.export.wording import sequence

_TAKEN = frozenset(("F", "InstanceNorm", "Tensor", "nn", "torch"))
_MOST_EXTRAS = 2


@dataclass(frozen=True)
class Title:
    """A class's name and docstring, and what it has that the simplest class of its kind has not."""

    name: str
    description: str
    extras: tuple[str, ...] = ()


def titles(classes: Sequence[Class]) -> list[Title]:
    """For each class. Of several of one kind the simplest has the kind's name and description, the others say more."""
    kinds: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(classes):
        kinds[item.template.kind].append(index)
    found: dict[int, Title] = {}
    taken = set(_TAKEN)
    # A kind's submodules are named before it, for what they have beyond others may be what it has.
    for kind, indices in sorted(kinds.items(), key=lambda entry: max(entry[1])):
        words = {index: _words(classes[index], found) for index in indices}
        simplest = min(indices, key=lambda index: (len(words[index]), index))
        base = _free(kind if is_attribute(kind) else "Part", taken)
        found[simplest] = Title(base, _description(classes[simplest].modules[0]))
        for index in indices:
            if index != simplest:
                extras = [word for word in words[index] if word not in words[simplest]]
                others = set(classes[index].uses).difference(classes[simplest].uses)
                module = classes[index].modules[0]
                found[index] = _variant(base, module, extras, sorted(found[other].name for other in others), taken)
    return [found[index] for index in range(len(classes))]


def without_knobs(description: str) -> str:
    """A part's docstring without what it says, after its beginning, of the part's own fields: the class has none."""
    paragraphs: list[str] = []
    for paragraph in description.split("\n\n"):
        sentences = [_without_knobs(sentence) for sentence in re.split(r"(?<!al\.)(?<=\.)\s+", paragraph)]
        if not paragraphs and not sentences[0]:
            sentences[0] = re.split(r"(?<!al\.)(?<=\.)\s+", paragraph)[0]
        paragraphs.append(" ".join(filter(None, sentences)))
    return "\n\n".join(filter(None, paragraphs))


def _without_knobs(sentence: str) -> str:
    clauses = list(takewhile(lambda clause: "`" not in clause, re.split(r"(?<=;)\s+", sentence)))
    return " ".join(clauses).rstrip(";.") + "." if clauses else ""


def _description(module: Module) -> str:
    """What its part says of itself; of a layer that no part has described, what it does step by step."""
    if module.is_described:
        return without_knobs(module.description)
    return f"{module.description.rstrip('.')}: {sequence(module)}."


def _variant(base: str, module: Module, extras: Sequence[str], others: Sequence[str], taken: set[str]) -> Title:
    """The title of a class with steps beyond those of the simplest of its kind, or with other submodules."""
    article = "An" if base[0] in "AEIOU" else "A"
    does = f"{article} `{base}` made of {sequence(module)}."
    for words in (tuple(extras), tuple(dict.fromkeys([*extras, *others]))):
        name = f"{base}With{'And'.join(_camel(word) for word in words)}"
        if 0 < len(words) <= _MOST_EXTRAS and name.count("With") == 1 and name not in taken:
            taken.add(name)
            return Title(name, does, words)
    return Title(_free(base, taken), does, tuple(extras))


def _words(item: Class, found: dict[int, Title]) -> list[str]:
    """What a class is made of: its steps, and what its submodules have beyond others of their kind."""
    steps = [word for step in item.modules[0].steps if (word := _word(step))]
    return list(
        dict.fromkeys([*steps, *(extra for index in item.uses if index in found for extra in found[index].extras)])
    )


def _word(step: Step) -> str:
    """The kind of part that a step calls, or else the step's name."""
    name = step.name.rpartition(".")[2].rstrip("_0123456789")
    if isinstance(step.does, Module) and not step.does.kind.endswith(_camel(name) or "Layer"):
        return step.does.kind
    return name


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}{number}", number + 1
    taken.add(name)
    return name


def _camel(word: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in word.split("_"))
