"""`nas compare`: studies side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.options import JsonOption, StorageOption
from nas.cli.output import OUT, duration, print_json, table
from nas.errors import InputError
from nas.study import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.confirming import Comparison, Scores
    from nas.study.history import Trial
    from nas.study.objective import Objective
    from nas.study.sql.study import SqlStudy

_PARTS = 6
"""Moments at which the best so far is shown: halves of the time that all studies have used, the last one all of it."""


def compare(
    studies: Annotated[
        list[str],
        typer.Argument(help="Two or more studies of the same data; one,two for what differs by its seed alone."),
    ],
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Studies side by side: the best at any moment, what it cost, and the winners case by case.

    The first one is what others are held against. Several studies that differ by their seed are one: medians and 95%
    intervals over seeds are shown (of five or fewer, the whole range). Cases are those that chose the winners, so that
    each looks better than it is; `nas confirm` takes cases that a search has never seen.

    [bold]Examples[/bold]

      nas compare by-halving by-random

      nas compare halving-0,halving-1,halving-2 random-0,random-1,random-2
    """
    from nas.cli.studies import chosen, open_existing
    from nas.confirming import compare_all

    groups = [tuple(part.strip() for part in text.split(",")) for text in studies]
    if len(groups) < 2:
        raise InputError(f"found one study, {studies[0]!r}; give two or more to compare")
    with open_existing(storage) as opened:
        stored = {name: chosen(opened, name) for group in groups for name in group}
        _expect_comparable(list(stored.values()))
        rows = {name: _row(study) for name, study in stored.items()}
        goal = next(iter(stored.values())).settings.goals[0]
        scores = [_together([_scores(stored[name], rows[name]["trial"]) for name in group]) for group in groups]
    _add_regret(list(rows.values()), goal)
    joined = [_group(group, rows) for group in groups]
    found = compare_all(scores[1:], scores[:1])
    if json:
        print_json(
            {"studies": list(rows.values()), "groups": joined, "differences": [_difference(one) for one in found]}
        )
        return
    _show(joined, found)


def _expect_comparable(studies: Sequence["SqlStudy"]) -> None:
    first = studies[0].settings
    for study in studies[1:]:
        for what in ("data_digest", "fold", "objectives"):
            if getattr(study.settings, what) != getattr(first, what):
                raise InputError(
                    f"study {study.name!r} has another {what.replace('_', ' ')} than {first.name!r}; "
                    "compare studies of the same cases, scored alike"
                )


def _winner(study: "SqlStudy", best: Sequence["Trial"]) -> "Trial":
    from nas.study.history import State

    complete = next((trial for trial in best if trial.state is State.COMPLETE), None)
    if complete is None:
        raise InputError(f"study {study.name!r}: no network is trained to the end yet; go on with nas search")
    return complete


def _row(study: "SqlStudy") -> dict[str, Any]:
    from nas.study.anytime import anytime, spent
    from nas.study.objective import ranked

    history, goals = study.history(), study.settings.goals
    winner = _winner(study, ranked(history, goals))
    return {
        "study": study.name,
        "trial": winner.number,
        "value": goals[0].value(winner),
        "seconds": spent(history),
        "parameters": winner.parameters,
        "anytime": [vars(step) for step in anytime(history, goals)],
    }


def _add_regret(rows: Sequence[dict[str, Any]], goal: "Objective") -> None:
    """How far the best of each study is from the best of all."""
    values = [row["value"] for row in rows]
    best = max(values) if goal.direction == "maximize" else min(values)
    for row in rows:
        row["regret"] = abs(best - row["value"])


def _scores(study: "SqlStudy", number: int) -> "Scores":
    """Of each case, the mean Dice over the targets that it has."""
    import numpy as np

    from nas.confirming import Scores
    from nas.report.material import scores_of

    latest = study.history().by_number[number].latest
    assert latest is not None
    scored = scores_of(study.measurements(latest.id, "dice"))
    if scored is None:
        return Scores(study.name, np.empty((1, 0)), ())
    return Scores(study.name, scored.by_case[None], scored.cases)


def _together(scores: Sequence["Scores"]) -> "Scores":
    """Several seeds as one."""
    import numpy as np

    from nas.confirming import Scores

    name = ",".join(one.name for one in scores)
    if len({one.cases for one in scores}) > 1:
        raise InputError(f"studies {name}: their winners were scored on different cases; name one study at a time")
    return Scores(name, np.concatenate([one.values for one in scores]), scores[0].cases)


def _group(names: Sequence[str], rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The studies of one setting: over its seeds the median of what it costs and gives, and how that grew."""
    from nas.study.anytime import Step, best_at
    from nas.study.medians import middle

    own = [rows[name] for name in names]
    steps = [[Step(**step) for step in row["anytime"]] for row in own]
    shortest = min(row["seconds"] for row in rows.values())
    moments = []
    for part in reversed(range(_PARTS)):
        reached = [value for one in steps if (value := best_at(one, shortest / 2**part)) is not None]
        whole = len(reached) == len(own)
        moments.append({"seconds": shortest / 2**part, **(vars(middle(reached)) if whole else _NOTHING)})
    return {
        "studies": list(names),
        "value": vars(middle([row["value"] for row in own])),
        "regret": vars(middle([row["regret"] for row in own])),
        "seconds": vars(middle([row["seconds"] for row in own])),
        "moments": moments,
    }


_NOTHING = {"median": None, "low": None, "high": None, "count": 0}


def _difference(one: "Comparison") -> dict[str, Any]:
    return {
        "study": one.name,
        "baseline": one.baseline,
        "difference": one.difference.estimate,
        "low": one.difference.low,
        "high": one.difference.high,
        "p": one.p,
    }


def _show(groups: Sequence[dict[str, Any]], found: Sequence["Comparison"]) -> None:
    cells = [
        (
            ",".join(group["studies"]),
            _words(group["value"]),
            _words(group["regret"]),
            duration(group["seconds"]["median"]),
            *(_words(moment) for moment in group["moments"]),
        )
        for group in groups
    ]
    moments = [f"after {duration(moment['seconds'])}" for moment in groups[0]["moments"]]
    OUT.print(
        table(
            "the best network trained to the end, at any moment",
            ("study", "best", "below the best of all", "runs took", *moments),
            cells,
        )
    )
    OUT.print()
    for one in found:
        low, high = one.difference.low, one.difference.high
        OUT.print(
            f"{one.name} against {one.baseline}: {one.difference.estimate:+.4f} Dice, case by case "
            f"({low:+.4f} to {high:+.4f})",
            soft_wrap=True,
        )
    OUT.print("The cases have chosen the winners: take the difference as a hint.")


def _words(one: dict[str, Any]) -> str:
    """A median, with its interval where there are several seeds."""
    if one["median"] is None:
        return "-"
    return f"{one['median']:.4f}" + (f" ({one['low']:.4f} to {one['high']:.4f})" if one["count"] > 1 else "")
