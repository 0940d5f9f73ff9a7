"""Runs that are wanted beside a search: which trials, as which runs, how long. Written down in the study's journal."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from nas.errors import InputError
from nas.searching.strategies.assigned import Job
from nas.study.history import Document, History, Run, RunKey, Split, State
from nas.study.protocol import Study

ASSIGNMENT = "assignment"
"""The kind of line in a study's journal."""


@dataclass(frozen=True)
class Assignment:
    """Every trial is trained as every one of the runs.

    purpose: the command that wants them. seconds: of each training, its scoring included; None where the study's recipe
    says its steps. groups: of cases, by name, where any belong together.
    """

    purpose: str
    trials: tuple[int, ...]
    keys: tuple[RunKey, ...]
    seconds: float | None
    groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All runs, those on the same cases one after another, so that cases are loaded once."""
        return tuple((trial, key) for key in self.keys for trial in self.trials)

    def takes(self, trial: int, key: RunKey) -> bool:
        """Whether a run is one of them."""
        return trial in self.trials and key in self.keys

    def runs(self, history: History) -> dict[Job, Run]:
        """Those of them that were begun."""
        wanted = set(self.jobs)
        trials = (history.by_number[number] for number in self.trials if number in history.by_number)
        return {(run.trial, run.key): run for trial in trials for run in trial.runs if (run.trial, run.key) in wanted}

    def ended(self, history: History) -> dict[Job, Run]:
        """Those of them that have ended, however they did."""
        over = (State.COMPLETE, State.INFEASIBLE, State.DIVERGED, State.FAILED)
        return {job: run for job, run in self.runs(history).items() if run.state in over}

    def to_json(self) -> Document:
        """The assignment as plain JSON."""
        return asdict(self) | {"trials": list(self.trials), "keys": [asdict(key) for key in self.keys]}

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Assignment":
        """The assignment that `to_json` wrote."""
        keys = tuple(read_key(key) for key in document["keys"])
        return Assignment(
            document["purpose"], tuple(document["trials"]), keys, document["seconds"], dict(document["groups"])
        )


def read_key(document: Mapping[str, Any]) -> RunKey:
    """The key of a run from plain JSON."""
    return RunKey(**{**document, "split": Split(document["split"])})


def write_down(study: Study, assignment: Assignment) -> int:
    """Its number in the journal; what was written down before is not written again."""
    document = assignment.to_json()
    lines = study.journal(ASSIGNMENT)
    same = next((line for line in lines if line.content == document), None)
    return (same or study.write_down(ASSIGNMENT, document)).number


def read(study: Study, number: int) -> Assignment:
    """The assignment of a number.

    Raises:
        InputError: there is none.
    """
    lines = {line.number: line.content for line in study.journal(ASSIGNMENT)}
    if number not in lines:
        numbers = ", ".join(map(str, lines)) or "none; nas confirm and nas train make them"
        raise InputError(f"study {study.name!r} has no assignment {number}; it has {numbers}")
    return Assignment.from_json(lines[number])


def seeds_for(study: Study, seconds: float | None, count: int) -> tuple[int, ...]:
    """Seeds of trainings of a length: those that were so trained before, then new ones.

    Never the search's own, whose luck chose the winner. A seed stands for one length, which a run's key does not say.
    """
    assignments = [Assignment.from_json(line.content) for line in study.journal(ASSIGNMENT)]
    used = {key.seed: assignment.seconds for assignment in assignments for key in assignment.keys}
    own = [seed for seed, length in sorted(used.items()) if length == seconds]
    first = max([study.settings.seed, *used]) + 1
    return tuple(islice([*own, *range(first, first + count)], count))


def keys_of_folds(folds: int, seeds: Sequence[int]) -> tuple[RunKey, ...]:
    """The runs of a cross-validation after the search."""
    return tuple(RunKey(fold, seed, Split.CONFIRM) for fold in range(folds) for seed in seeds)
