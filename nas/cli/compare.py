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
    from nas.study.anytime import Step
    from nas.study.history import Trial
    from nas.study.sql.study import SqlStudy

_PARTS = 6
"""Moments at which the best so far is shown: halves of the time that all studies have used, the last one all of it."""


def compare(
    studies: Annotated[list[str], typer.Argument(help="Names of two or more studies of the same data.")],
    storage: StorageOption = DEFAULT_STORAGE,
    json: JsonOption = False,
) -> None:
    """Studies side by side: the best at any moment, what it cost, and the winners case by case.

    The first study is the one that others are held against. Cases are those that chose the winners, so that each
    looks better than it is; `nas confirm` takes cases that a search has never seen.

    [bold]Example[/bold]

      nas compare by-halving by-random
    """
    from nas.cli.studies import chosen, open_existing
    from nas.confirming import compare_all
    from nas.study.anytime import anytime, spent
    from nas.study.objective import ranked

    if len(studies) < 2:
        raise InputError(f"found one study, {studies[0]!r}; give two or more to compare")
    with open_existing(storage) as opened:
        stored = [chosen(opened, name) for name in dict.fromkeys(studies)]
        _expect_comparable(stored)
        rows, scores = [], []
        for study in stored:
            history, goals = study.history(), study.settings.goals
            winner = _winner(study, ranked(history, goals))
            rows.append(_row(study, winner, anytime(history, goals), spent(history)))
            scores.append(_scores(study, winner))
    comparisons = compare_all(scores[1:], scores[:1])
    if json:
        print_json({"studies": rows, "differences": [_difference(one) for one in comparisons]})
        return
    _show(rows, comparisons)


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


def _scores(study: "SqlStudy", trial: "Trial") -> "Scores":
    """Of each case, the mean Dice over the targets that it has."""
    import numpy as np

    from nas.confirming import Scores
    from nas.report.material import scores_of

    assert trial.latest is not None
    scored = scores_of(study.measurements(trial.latest.id, "dice"))
    if scored is None:
        return Scores(study.name, np.empty((1, 0)), ())
    return Scores(study.name, scored.by_case[None], scored.cases)


def _row(study: "SqlStudy", trial: "Trial", steps: Sequence["Step"], cost: float) -> dict[str, Any]:
    return {
        "study": study.name,
        "trial": trial.number,
        "value": study.settings.goals[0].value(trial),
        "seconds": cost,
        "parameters": trial.parameters,
        "anytime": [vars(step) for step in steps],
    }


def _difference(one: "Comparison") -> dict[str, Any]:
    return {
        "study": one.name,
        "baseline": one.baseline,
        "difference": one.difference.estimate,
        "low": one.difference.low,
        "high": one.difference.high,
        "p": one.p,
    }


def _show(rows: list[dict[str, Any]], comparisons: Sequence["Comparison"]) -> None:
    shortest = min(row["seconds"] for row in rows)
    moments = [shortest / 2**part for part in reversed(range(_PARTS))]
    cells = [
        (
            row["study"],
            f"{row['value']:.4f}",
            str(row["trial"]),
            duration(row["seconds"]),
            *(_best_at(row["anytime"], moment) for moment in moments),
        )
        for row in rows
    ]
    columns = ("study", "best", "trial", "runs took", *(f"after {duration(moment)}" for moment in moments))
    OUT.print(table("the best network trained to the end, at any moment", columns, cells))
    OUT.print()
    for one in comparisons:
        low, high = one.difference.low, one.difference.high
        OUT.print(
            f"{one.name} against {one.baseline}: {one.difference.estimate:+.4f} Dice, case by case "
            f"({low:+.4f} to {high:+.4f})",
            soft_wrap=True,
        )
    OUT.print("The cases have chosen the winners: take the difference as a hint.")


def _best_at(steps: list[dict[str, Any]], seconds: float) -> str:
    reached = [step["value"] for step in steps if step["seconds"] <= seconds + 1e-9]
    return f"{reached[-1]:.4f}" if reached else "-"
