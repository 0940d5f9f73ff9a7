"""`nas status`, `nas best`: what studies hold."""

import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.options import JsonOption, StorageOption, StudyName
from nas.cli.output import OUT, in_words, print_json, table
from nas.cli.stopping import stop_on
from nas.errors import InputError
from nas.study import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.study.sql.storage import Storage
    from nas.study.sql.study import SqlStudy

_STATUS = ("study", "trained", "running", "infeasible", "failed", "best")


def status(
    study: StudyName = None,
    storage: StorageOption = DEFAULT_STORAGE,
    watch: Annotated[bool, typer.Option("--watch", help="Go on showing how it stands, until Ctrl-C.")] = False,
    json: JsonOption = False,
) -> None:
    """How far studies are: all of them, or one with its results.

    With --watch one screen that follows the search, wherever it runs; with --json a line of JSON for each change.

    [bold]Example[/bold]

      nas status unet_family-brain-synthetic

      nas status unet_family-brain-synthetic --watch
    """
    from nas.cli.results import results_table, where_everything_is
    from nas.study.sql.opening import list_studies, open_study

    with open_existing(storage) as opened:
        if watch:
            from nas.cli.watching import watch as follow

            stop_on(signal.SIGTERM)
            with suppress(KeyboardInterrupt):
                follow(chosen(opened, study), as_json=json)
            return
        if study is None:
            states = [_status(stored) for stored in list_studies(opened)]
            if json:
                print_json({"storage": opened.address, "studies": states})
                return
            rows = [_status_row(state) for state in states]
            OUT.print(table(f"studies in {opened.address}", _STATUS, rows))
            return
        stored = open_study(opened, study)
        if json:
            print_json(_status(stored))
            return
        OUT.print(results_table(stored))
        OUT.print()
        where_everything_is(stored)


def best(
    study: StudyName = None,
    storage: StorageOption = DEFAULT_STORAGE,
    front: Annotated[
        bool, typer.Option("--front", help="All networks that no other one beats in every objective.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """The network of the highest Dice, beside the published ones.

    [bold]Examples[/bold]

      nas best unet_family-brain-synthetic --json

      nas best mine --front     (of a search with --objective dice,latency)
    """
    from nas.cli.results import front_table, recipe_in_words, results_table
    from nas.searching import OpenedStudy

    with open_existing(storage) as opened:
        study_opened = OpenedStudy(chosen(opened, study))
        if front and json:
            print_json(study_opened.front_summary())
            return
        if front:
            OUT.print(front_table(study_opened.study, study_opened.front))
            return
        if json:
            print_json(study_opened.summary())
            return
        network = study_opened.best
        OUT.print(results_table(study_opened.study))
        trial = network.trial
        OUT.print(f"\nbest: trial {trial.number}, digest {trial.digest}")
        if dice := ", ".join(f"{name} {value:.4f}" for name, value in network.target_dice.items()):
            OUT.print(f"Dice: {dice}", soft_wrap=True, markup=False)
        if decided := trial.recipe_decisions:
            OUT.print(f"recipe: {recipe_in_words(decided)}", soft_wrap=True, markup=False)
        OUT.print(_outline(network.document), soft_wrap=True, markup=False)


def open_existing(storage: str, artifacts: str | None = None) -> "Storage":
    """A storage that a search has written."""
    from nas.study.sql.storage import open_storage

    return open_storage(storage, artifacts=artifacts, create=False)


def weights_noted(study: "SqlStudy", paths: list[str] | None, cache: str) -> "SqlStudy":
    """A study that knows where its weights lie on this machine, where that is said."""
    if not paths:
        return study
    from pathlib import Path

    from nas.searching.pretrained import note_places

    return note_places(study, paths, Path(cache) / "weights")


def chosen(storage: "Storage", name: str | None) -> "SqlStudy":
    """The study of a name; without a name the only one there is.

    Raises:
        InputError: there is none of that name, or no name was given where there is not exactly one.
    """
    from nas.study.sql.opening import list_studies, open_study

    if name is not None:
        return open_study(storage, name)
    studies = list_studies(storage)
    if len(studies) == 1:
        return studies[0]
    if not studies:
        raise InputError(f"{storage.address} holds no study; run nas search first, or give another --storage")
    names = ", ".join(stored.name for stored in studies)
    raise InputError(f"STUDY: {storage.address} holds {len(studies)} studies; name one of: {names}")


def _status(study: "SqlStudy") -> dict[str, Any]:
    from nas.study.looks import held_out
    from nas.study.summary import summary

    glance, goals = study.glance(1), study.settings.goals
    states = {name: getattr(glance.counts, name) for name in ("complete", "duplicate", "failed", "running", "paused")}
    facts = {
        "synthetic": study.settings.synthetic,
        "data": study.settings.data,
        "objectives": [goal.metric for goal in goals],
        "held_out": held_out(study),
    }
    return summary(study.name, study.storage.address, goals, glance) | states | facts


def _status_row(status: dict[str, Any]) -> tuple[str, ...]:
    counts = (str(status[state]) for state in ("complete", "running", "infeasible", "failed"))
    winner = status["best"] or {}
    reached = {metric: winner[metric] for metric in status["objectives"] if winner.get(metric) is not None}
    return status["study"], *counts, in_words(reached) or "-"


def _outline(document: Any, indent: str = "") -> str:
    """An architecture's document as an indented list."""
    lines = []
    for name, value in document.items():
        if isinstance(value, dict):
            lines.append(f"{indent}{name}: {value['kind']}")
            lines.append(_outline(value, indent + "  "))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                lines.append(f"{indent}{name} {index}:")
                lines.append(_outline(item, indent + "  "))
        elif name != "kind":
            lines.append(f"{indent}{name}: {value}")
    return "\n".join(line for line in lines if line)
