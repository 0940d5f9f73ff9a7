"""What a study was made with, and in what two such settings differ."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from nas.study.history import Document, RunKey
from nas.study.objective import Objective, objectives_of

SHOWN = 10
"""More differences than this are counted, not listed."""
TOGETHER = "together"
"""Under which name a plan keeps how good the finalists of a search are together."""


@dataclass(frozen=True, kw_only=True)
class StudySettings:
    """Everything that fixes what a study searches, on which data and how.

    `objectives` are documents of `Objective`, the first one ranks where only one can; `rungs` are lengths of training
    at which runs are compared, as shares of the recipe's steps; `plan` is what was fitted to the machine (patch, batch,
    calibration, limits); `versions` the software it ran with; `data_source` the folder of the data (None: built in);
    `fold` the part of it that validates.
    """

    name: str
    space: str
    space_document: Document
    space_digest: str
    data: str
    data_fingerprint: Document
    data_digest: str
    synthetic: bool
    task: Document
    recipe: Document
    plan: Document
    objectives: list[Document] = field(default_factory=lambda: [Objective().to_json()])
    rungs: list[float] = field(default_factory=lambda: [1.0])
    seed: int
    versions: Document
    device: str
    data_source: str | None = None
    fold: int = 0

    @property
    def goals(self) -> tuple[Objective, ...]:
        """The objectives as values."""
        return objectives_of(self.objectives)

    @property
    def first_run(self) -> RunKey:
        """The key of a trial's first run."""
        return RunKey(fold=self.fold, seed=self.seed)

    @property
    def held_out(self) -> tuple[str, ...]:
        """The names of the cases that were put aside when it was begun; none of an earlier nas's."""
        return tuple((self.plan.get("holdout") or {}).get("cases", ()))

    @property
    def together(self) -> Document | None:
        """How good the finalists of its search are together: their `trials` and `dice`; None where none were scored."""
        return self.plan.get(TOGETHER)

    def dice_together(self, trials: Sequence[int]) -> float | None:
        """The Dice of the mean of these networks, best first; None where it is not they that were scored together."""
        known = self.together
        return known["dice"] if known is not None and known["trials"] == list(trials) else None

    def share(self, rung: int) -> float:
        """How long a training to a rung is, as a share of the whole."""
        return self.rungs[rung] if rung < len(self.rungs) else 1.0

    @property
    def objective(self) -> str:
        """What the search is after, in words."""
        scored = "region" if self.data_fingerprint.get("regions") else "foreground"
        words = [
            f"mean {scored} Dice" if goal.metric == "dice" else f"{goal.metric} ({goal.direction})"
            for goal in self.goals
        ]
        return f"{' and '.join(words)} on whole validation cases, fold {self.fold}"


def differences(stored: StudySettings, proposed: StudySettings) -> list[str]:
    """One line per setting that differs, among those that make results comparable: field, stored and given value.

    The seed, the plan and the device may differ: a study goes on after its machine was changed.
    """
    lines = [
        f"{name}: stored {_named(stored, name)}, given {_named(proposed, name)}"
        for name in ("space", "data")
        if _digest(stored, name) != _digest(proposed, name)
    ]
    before, after = _leaves(stored), _leaves(proposed)
    lines += [
        f"{path}: stored {before.get(path, 'nothing')}, given {after.get(path, 'nothing')}"
        for path in before | after
        if before.get(path) != after.get(path)
    ]
    return lines if len(lines) <= SHOWN else [*lines[:SHOWN], f"and {len(lines) - SHOWN} more"]


def _digest(settings: StudySettings, name: str) -> str:
    return str(getattr(settings, f"{name}_digest"))


def _named(settings: StudySettings, name: str) -> str:
    return f"{getattr(settings, name)} (digest {_digest(settings, name)[:12]})"


def _leaves(settings: StudySettings) -> dict[str, str]:
    """Every value that must agree by its path, as JSON: so tuples equal the lists that they are stored as."""
    return {
        path: json.dumps(value)
        for name in ("objective", "recipe", "task")
        for path, value in _walk(name, getattr(settings, name))
    }


def _walk(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _walk(f"{path}.{key}", inner)
    elif value is not None:  # a field that an earlier nas did not have says nothing
        yield path, value
