"""Cases put aside before anything is searched, on which a search's winner is judged at the end."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nas.errors import InputError, field_named

SHARE = 0.2
FEWEST_CASES = 50
"""With fewer, a fifth is too few to judge by, and the rest too few to search on."""
FEWEST_GROUPS = 10
"""Of fewer groups, as of patients, one that is put aside says more of itself than of the others."""
LARGEST_SHARE = 0.5


@dataclass(frozen=True)
class Holdout:
    """Which cases a search never trains on and never validates on.

    share: of all cases, that was asked for. cases: their names, sorted; none where nothing is put aside.
    """

    share: float = 0.0
    cases: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The choice as plain JSON."""
        return {"share": self.share, "cases": list(self.cases)}

    @staticmethod
    def from_json(document: Mapping[str, Any] | None) -> "Holdout":
        """The choice that `to_json` wrote; none of an earlier study, which put nothing aside."""
        return Holdout() if document is None else Holdout(document["share"], tuple(document["cases"]))


def choose_holdout(groups: Mapping[str, str], share: float | None = None) -> Holdout:
    """Put cases aside, whole groups of them.

    The choice follows from the names alone. So every study of the same data, whatever its seed, labels or space, puts
    the same cases aside, and what one of them has never seen another has not seen either.

    Args:
        groups: the group of every case, by the case's name; each its own where none is known.
        share: of the cases; by default a fifth where there are enough of them, else none.

    Raises:
        InputError: there are too few groups for that share.
    """
    if share is None:
        enough = len(groups) >= FEWEST_CASES and len(set(groups.values())) >= FEWEST_GROUPS
        share = SHARE if enough else 0.0
    if share == 0:
        return Holdout()
    order = sorted(set(groups.values()), key=_rank)
    if len(order) < 3:
        raise InputError(
            f"{field_named('holdout')}: found {share:g}, but the {len(groups)} cases are of {len(order)} groups; "
            f"expected at least 3, one to put aside and two to search on; give 0"
        )
    chosen = set(order[: _number(order, groups, share * len(groups))])
    return Holdout(share, tuple(sorted(name for name, group in groups.items() if group in chosen)))


def _number(order: list[str], groups: Mapping[str, str], wanted: float) -> int:
    """How many groups hold the number of cases that comes nearest: one at least, and two are left."""
    sizes = dict.fromkeys(order, 0)
    for group in groups.values():
        sizes[group] += 1
    held, best, least = 0, 1, float("inf")
    for number, group in enumerate(order[:-2], 1):
        held += sizes[group]
        if abs(held - wanted) < least:
            best, least = number, abs(held - wanted)
    return best


def _rank(name: str) -> str:
    """A place that a name has by chance, the same everywhere and for ever."""
    return hashlib.sha256(f"holdout {name}".encode()).hexdigest()
