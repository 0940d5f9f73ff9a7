"""What two networks do differently, stage by stage."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nas.graph.nodes import Traced
from nas.graph.picture.stages import Outline, Stage, outline
from nas.graph.picture.words import sizes
from nas.graph.task import Axes

Key = tuple[str, Axes, int]
"""A stage's role ("encoder"), its level, and the how manieth of those it is."""


@dataclass(frozen=True)
class Difference:
    """A stage that differs: where it stands, what the first and the second network have there, "" for nothing."""

    where: str
    first: str
    second: str


@dataclass(frozen=True)
class Compared:
    """What differs, in words, and what of both pictures is marked: by stage its differing lines."""

    differences: tuple[Difference, ...]
    first: Mapping[int, frozenset[str]]
    second: Mapping[int, frozenset[str]]


def compare(first: Traced, second: Traced) -> Compared:
    """The stages that stand in one network alone, or do something else in the other."""
    ours, theirs = outline(first), outline(second)
    stages_of_first, stages_of_second = _keyed(ours), _keyed(theirs)
    differences: list[Difference] = []
    marks: tuple[dict[int, frozenset[str]], dict[int, frozenset[str]]] = ({}, {})
    for key in dict.fromkeys([*stages_of_first, *stages_of_second]):
        stages = stages_of_first.get(key), stages_of_second.get(key)
        facts = tuple(_facts(whole, stage) for whole, stage in zip((ours, theirs), stages, strict=True))
        if facts[0] == facts[1]:
            continue
        for mark, stage, own, others in zip(marks, stages, facts, reversed(facts), strict=True):
            if stage is not None:
                mark[stage.index] = frozenset(own) - frozenset(others) if others else frozenset()
        role, level, _ = key
        differences.append(Difference(f"{role} at {sizes(first.task, level)}", *(", ".join(fact) for fact in facts)))
    return Compared(tuple(differences), *marks)


def _keyed(whole: Outline) -> dict[Key, Stage]:
    counts: Counter[tuple[str, Axes]] = Counter()
    keyed: dict[Key, Stage] = {}
    for stage in whole.stages:
        role = stage.name.partition(":")[0].partition(".")[0], stage.level
        keyed[*role, counts[role]] = stage
        counts[role] += 1
    return keyed


def _facts(whole: Outline, stage: Stage | None) -> tuple[str, ...]:
    """What a stage is, as it is written in a picture, and how its skips join it."""
    return () if stage is None else (*stage.lines, *filter(None, [stage.step, *stage.branches]), *_joins(whole, stage))


def _joins(whole: Outline, stage: Stage) -> Iterator[str]:
    for link in whole.links:
        if link.target == stage.index and not link.is_main:
            yield f"skip by {', '.join(filter(None, [*link.joins, link.through]))}" if link.joins else "skip"
