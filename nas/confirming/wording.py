"""A comparison as a sentence."""

from math import ceil, isfinite

from nas.confirming.comparing import Comparison, Verdict
from nas.confirming.statistics import FEW_CASES, cases_to_show, trainings_to_show

_BEYOND_REACH = 100_000
"""Cases or trainings that nobody has: a difference that would take more is called too small to show."""

_FEW = 2
"""Degrees of freedom with which Student's interval is so long that only more trainings help."""


def in_words(comparison: Comparison) -> str:
    """What a comparison says, in one or two sentences that a reader without statistics can use."""
    warning = "" if comparison.parts.number_of_cases >= FEW_CASES else f" {_few(comparison)}"
    return f"{_claim(comparison)}{warning}"


def _claim(comparison: Comparison) -> str:
    name, baseline, difference = comparison.name, comparison.baseline, comparison.difference
    between = f"by {abs(difference.estimate):.4f} ({difference.low:+.4f} to {difference.high:+.4f})"
    match comparison.verdict:
        case Verdict.BETTER:
            return f"{name} is better than {baseline} {between}."
        case Verdict.WORSE:
            return f"{name} is worse than {baseline} {between}."
        case Verdict.NOT_WORSE:
            bound = _upwards(max(-difference.low, 0.0))
            return (
                f"{name} is not worse than {baseline} by {bound:.4f} or more; whether it is better cannot be told. "
                f"{_more(comparison)}"
            )
    return (
        f"Whether {name} is better or worse than {baseline} cannot be told: {difference.estimate:+.4f} "
        f"({difference.low:+.4f} to {difference.high:+.4f}). {_more(comparison)}"
    )


def _more(comparison: Comparison) -> str:
    """How many more cases, or trainings, would tell the difference that was seen, or one that would matter."""
    difference, parts = abs(comparison.difference.estimate), comparison.parts
    if comparison.verdict is Verdict.UNTOLD:
        difference = max(difference, comparison.margin)
    if difference == 0:
        return "Nothing differs between them, so that more cases would show nothing."
    if parts.seeds > 1 and parts.freedom <= _FEW and parts.over_trainings(comparison.confidence) > 2 * difference:
        return (
            f"{parts.number_of_trainings} trainings of each network tell too little of how much trainings differ: give "
            "more seeds, 4 at least."
        )
    cases = cases_to_show(difference, parts, confidence=comparison.confidence) - parts.number_of_cases
    if isfinite(cases) and cases <= _BEYOND_REACH:
        return f"{_counted(cases, 'more case').capitalize()} would tell a difference of {difference:.4f}."
    trainings = trainings_to_show(difference, parts, confidence=comparison.confidence) - parts.number_of_trainings
    if isfinite(trainings) and trainings <= _BEYOND_REACH:
        return (
            f"What lacks is trainings, not cases: {_counted(trainings, 'more training')} (folds times seeds) would "
            f"tell a difference of {difference:.4f}."
        )
    times = (comparison.detectable / difference) ** 2
    if times * parts.number_of_cases > _BEYOND_REACH:
        return f"A difference of {difference:.4f} is too small to show; {comparison.detectable:.4f} could be told here."
    return f"About {times:.1f} times as many cases and trainings would tell a difference of {difference:.4f}."


def _few(comparison: Comparison) -> str:
    return (
        f"With {comparison.parts.number_of_cases} cases, fewer than {FEW_CASES}, intervals are too short: take this as "
        "a hint."
    )


def _counted(number: float, noun: str) -> str:
    """At least one: what is nearly enough wants a little more."""
    whole = max(ceil(number), 1)
    about = whole if whole < 20 else round(whole, -(len(str(whole)) - 2))
    return f"about {about:,} {noun}{'' if about == 1 else 's'}"


def _upwards(value: float) -> float:
    """Rounded up at four digits: what is said must hold."""
    return ceil(value * 10_000 - 1e-9) / 10_000
