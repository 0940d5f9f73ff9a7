"""Names of cases that show whose they are: patient001_frame01 and patient001_frame12 are of one patient."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

GROUP = "{group}"
"""What stands for the group in a pattern of names."""
SHARED = 0.5
"""The share of cases that have others of the same beginning, from which beginnings are taken for patients."""


def groups_in_names(names: Sequence[str]) -> dict[str, str]:
    """The patient of each case, by its name, where the names show it; empty where they do not.

    A patient is the part of a name up to its first part with a number, where parts follow that tell cases apart. So
    that case_1 and case_2 are no patient, numbers alone make none: there must be several patients.
    """
    beginnings = {name: beginning for name in names if (beginning := _beginning(name))}
    counts = Counter(beginnings.values())
    together = sum(count for count in counts.values() if count > 1)
    if len(beginnings) < len(names) or len(counts) < 2 or together < SHARED * len(names):
        return {}
    return beginnings


def groups_by_pattern(names: Iterable[str], pattern: str) -> dict[str, str]:
    """The part of each name that stands where the pattern has {group}; names that do not fit are missing."""
    before, _, behind = pattern.partition(GROUP)
    expression = f"{_globbed(before)}(?P<group>.+?){_globbed(behind)}"
    matches = ((name, re.fullmatch(expression, name)) for name in names)
    return {name: match["group"] for name, match in matches if match}


def pattern_of(groups: Mapping[str, str]) -> str | None:
    """A pattern with {group} that gives these groups, such as {group}_frame*; None where none does."""
    rests = [name[len(group) :] for name, group in groups.items()]
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*rests, strict=False))
    common = "".join(letters[0] for letters in alike)
    pattern = f"{GROUP}{common.rstrip('0123456789*')}*"
    return pattern if groups_by_pattern(groups, pattern) == groups else None


def _beginning(name: str) -> str | None:
    """The name up to and with its first part that has a digit, where another part follows."""
    match = re.match(r"(?:[^_.\- 0-9]*[_.\- ])*?[^_.\- ]*[0-9][^_.\- ]*(?=[_.\- ].)", name)
    return match[0] if match else None


def _globbed(text: str) -> str:
    return ".*".join(re.escape(part) for part in text.split("*"))
