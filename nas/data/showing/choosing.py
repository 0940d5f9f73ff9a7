"""Which cases of a data set a person should see: those that warnings name, the middle, and the ends of each kind."""

import re
from collections.abc import Callable, Iterator, Sequence
from math import prod

from nas.data.fingerprint import CaseSummary, Fingerprint


def about(sentence: str, name: str) -> bool:
    """Whether a warning names a case."""
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", sentence) is not None


def choose(fingerprint: Fingerprint, most: int) -> dict[str, str]:
    """Names of cases and why each is shown, in the order of their names."""
    chosen: dict[str, str] = {}
    for case, reason in _candidates(fingerprint):
        if case.name in chosen:
            chosen[case.name] += f", {reason}" if reason not in chosen[case.name] else ""
        elif len(chosen) < most:
            chosen[case.name] = reason
    others = [case.name for case in fingerprint.case_summaries if case.name not in chosen]
    wanted = min(most - len(chosen), len(others))
    for number in range(wanted):
        chosen[others[number * len(others) // wanted]] = "one of the others"
    return dict(sorted(chosen.items()))


def _candidates(fingerprint: Fingerprint) -> Iterator[tuple[CaseSummary, str]]:
    cases = fingerprint.case_summaries
    yield _middle(cases), "of the middle size"
    for warning in fingerprint.warnings:
        for case in [case for case in cases if about(warning, case.name)][:2]:
            yield case, "named in a warning"
    for code in sorted({case.orientation for case in cases}):
        if len({case.orientation for case in cases}) > 1:
            yield next(case for case in cases if case.orientation == code), f"stored as {code or 'unknown'}"
    yield from _ends(cases, lambda case: prod(case.shape), "the fewest voxels", "the most voxels")
    yield from _ends(cases, lambda case: max(case.spacing), "the finest voxels", "the coarsest voxels")
    yield from _ends(cases, lambda case: case.content, "the least content", "the most content")


def _middle(cases: Sequence[CaseSummary]) -> CaseSummary:
    return sorted(cases, key=lambda case: (prod(case.shape), case.name))[len(cases) // 2]


Candidate = tuple[CaseSummary, str]
Measure = Callable[[CaseSummary], float]


def _ends(cases: Sequence[CaseSummary], measure: Measure, least: str, most: str) -> Iterator[Candidate]:
    low, high = min(cases, key=measure), max(cases, key=measure)
    if measure(low) < measure(high):
        yield low, least
        yield high, most
