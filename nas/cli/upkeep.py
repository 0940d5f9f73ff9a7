"""`nas studies ...` and `nas trials`: keeping studies in order and looking at their trials."""

import csv
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.options import ArtifactsOption, JsonOption, StorageOption, StudyName
from nas.cli.output import OUT, print_json, short_count
from nas.cli.studies import chosen, open_existing, status
from nas.errors import InputError
from nas.study import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.study.history import Trial
    from nas.study.objective import Objective

app = typer.Typer(help="List, copy, rename, delete, prune and check studies.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="Name of the study.")]
NewName = Annotated[str, typer.Argument(help="The new name.")]


@app.command("list")
def list_all(storage: StorageOption = DEFAULT_STORAGE, json: JsonOption = False) -> None:
    """All studies of a storage.

    [bold]Example[/bold]

      nas studies list
    """
    status(None, storage, json=json)


@app.command()
def copy(
    study: Name,
    name: NewName,
    storage: StorageOption = DEFAULT_STORAGE,
    artifacts: ArtifactsOption = None,
    to: Annotated[str | None, typer.Option(help="Another storage.", show_default="the same")] = None,
) -> None:
    """Copy a study with its results and files; also from SQLite to a server (--to URL).

    [bold]Example[/bold]

      nas studies copy unet_family-brain-synthetic kept --to postgresql://me@host/nas
    """
    from nas.study.sql.opening import open_study
    from nas.study.sql.storage import open_storage
    from nas.study.upkeep.copying import copy as copy_study

    with open_existing(storage, artifacts) as source, open_storage(to or storage) as target:
        copied = copy_study(open_study(source, study), name, target)
        OUT.print(f"{copied.name}: {copied.counts()[0]} trials in {target.address}", soft_wrap=True, markup=False)


@app.command()
def rename(study: Name, name: NewName, storage: StorageOption = DEFAULT_STORAGE) -> None:
    """Give a study another name.

    [bold]Example[/bold]

      nas studies rename unet_family-brain-synthetic first
    """
    from nas.study.sql.opening import open_study
    from nas.study.upkeep.copying import rename as rename_study

    with open_existing(storage) as opened:
        renamed = rename_study(open_study(opened, study), name)
        OUT.print(f"{study} is now {renamed.name}", markup=False)


@app.command()
def delete(
    study: Name,
    storage: StorageOption = DEFAULT_STORAGE,
    artifacts: ArtifactsOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Even while workers are at it.")] = False,
) -> None:
    """Delete a study with all its results and files.

    [bold]Example[/bold]

      nas studies delete first
    """
    from nas.study.history import State
    from nas.study.sql.opening import open_study
    from nas.study.upkeep.copying import remove_study

    with open_existing(storage, artifacts) as opened:
        stored = open_study(opened, study)
        trials, states = stored.counts()
        if not yes:
            complete = states[State.COMPLETE]
            typer.confirm(f"Delete {study} with {trials} trials, {complete} of them trained?", abort=True)
        remove_study(stored, force=force)
    OUT.print(f"{study} is deleted", markup=False)


@app.command("prune-artifacts")
def prune(
    study: Name,
    storage: StorageOption = DEFAULT_STORAGE,
    artifacts: ArtifactsOption = None,
    keep: Annotated[int, typer.Option(help="How many of the best keep their weights.", min=0)] = 10,
) -> None:
    """Delete the weights of all but the best and the published networks, those of nas confirm too.

    [bold]Example[/bold]

      nas studies prune-artifacts unet_family-brain-synthetic
    """
    from nas.study.sql.opening import open_study

    with open_existing(storage, artifacts) as opened:
        OUT.print(f"{open_study(opened, study).prune(keep)} files deleted")


@app.command()
def check(
    study: StudyName = None,
    storage: StorageOption = DEFAULT_STORAGE,
    artifacts: ArtifactsOption = None,
    repair: Annotated[bool, typer.Option("--repair", help="Set right what is found.")] = False,
    json: JsonOption = False,
) -> None:
    """Find stale trials, broken and missing files, files that no trial names. Exit code 1 if any is left.

    [bold]Example[/bold]

      nas studies check unet_family-brain-synthetic --repair
    """
    from nas.study.upkeep.checking import check as look

    with open_existing(storage, artifacts) as opened:
        stored = chosen(opened, study)
        faults = look(stored, repair=repair)
    if json:
        print_json({"study": stored.name, "repaired": repair, "faults": [vars(fault) for fault in faults]})
    else:
        for fault in faults:
            done = "done" if repair else "--repair would"
            OUT.print(f"{fault.what}; {done}: {fault.repair}", soft_wrap=True, markup=False)
        OUT.print(f"{len(faults)} faults" if faults else "all is well")
    if faults and not repair:
        raise typer.Exit(1)


class Format(StrEnum):
    """How trials are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


BEFORE, AFTER = (
    ("trial", "state"),
    (
        "parameters",
        "macs",
        "seconds",
        "steps",
        "reference",
        "origin",
        "parent",
        "device",
        "worker",
        "reason",
    ),
)

_SHOWN = ("parameters", "macs", "seconds", "reference")
_WORDS: dict[str, Callable[[Any], str]] = {
    "parameters": short_count,
    "macs": short_count,
    "seconds": "{:.1f}".format,
}
"""How the figures of a table are shown; CSV and JSON hold them as they are."""


def trials(
    study: StudyName = None,
    storage: StorageOption = DEFAULT_STORAGE,
    state: Annotated[
        list[str] | None, typer.Option(help="complete, infeasible, duplicate, failed ...; repeatable.")
    ] = None,
    reference: Annotated[bool, typer.Option("--reference", help="Published networks only.")] = False,
    sort: Annotated[str, typer.Option(help="Field to sort by; -dice for the highest first.")] = "trial",
    limit: Annotated[int | None, typer.Option(help="How many at most.", min=1)] = None,
    output: Annotated[Format, typer.Option("--format", help="table, csv or json.")] = Format.TABLE,
) -> None:
    """The trials of a study, filtered and sorted, as a table, CSV or JSON.

    [bold]Example[/bold]

      nas trials unet_family-brain-synthetic --state complete --sort -dice --limit 10
    """
    from nas.cli.results import with_recipes
    from nas.study.history import State

    unknown = sorted(set(state or ()) - set(State))
    if unknown:
        raise InputError(f"--state: found {unknown[0]!r}, expected one of {', '.join(State)}")
    with open_existing(storage) as opened:
        stored = chosen(opened, study)
        metrics = tuple(goal.metric for goal in stored.settings.goals)
        names = tuple(dict.fromkeys((*BEFORE, *metrics, *AFTER)))
        field = sort.removeprefix("-")
        if field not in names:
            expected = f"expected one of {', '.join(names)}, with - before it for descending"
            raise InputError(f"--sort: found {sort!r}, {expected}")
        chosen_trials = [
            trial
            for trial in stored.history().trials
            if (not state or trial.state in state) and (trial.reference is not None or not reference)
        ]
    goals = stored.settings.goals
    rows = [_row(trial, goals) | {"recipe": trial.recipe_decisions} for trial in chosen_trials]
    order = sorted(range(len(rows)), key=lambda index: _place(rows[index][field], descending=sort.startswith("-")))
    rows = [rows[index] for index in order[:limit]]
    if output is Format.JSON:
        print_json({"study": stored.name, "trials": rows})
    elif output is Format.CSV:
        _print_csv(names, rows)
    else:
        facts = _SHOWN if not any(row["recipe"] for row in rows) else ("reference",)
        shown = tuple(dict.fromkeys((*BEFORE, *metrics, *facts)))
        cells = [tuple(_cell(name, row[name], metrics) for name in shown) for row in rows]
        OUT.print(with_recipes(stored.name, shown, cells, [chosen_trials[index] for index in order[:limit]]))


def _print_csv(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows with a column for each decision of the recipe too."""
    from nas.study.history import recipe_path

    flat = [
        {name: row[name] for name in names} | {recipe_path(path): value for path, value in row["recipe"].items()}
        for row in rows
    ]
    writer = csv.DictWriter(sys.stdout, list(dict.fromkeys([*names, *(name for row in flat for name in row)])))
    writer.writeheader()
    writer.writerows(flat)


def _row(trial: "Trial", goals: "Sequence[Objective]") -> dict[str, Any]:
    """A trial's fields as JSON holds them, those of its latest run among them."""
    run = trial.latest
    return {
        "trial": trial.number,
        "state": str(trial.state),
        **{goal.metric: goal.value(trial) for goal in goals},
        "parameters": trial.parameters,
        "macs": trial.macs,
        "seconds": trial.seconds if run else None,
        "steps": run and run.steps,
        "reference": trial.reference,
        "origin": str(trial.origin),
        "parent": trial.parent,
        "device": run and run.device,
        "worker": run and run.worker,
        "reason": trial.explanation,
    }


def _place(value: Any, *, descending: bool) -> tuple[Any, ...]:
    """Where a value stands; what has none comes last, whatever the direction."""
    if value is None:
        return (1,)
    if not descending:
        return (0, value)
    return (0, -value) if isinstance(value, int | float) else (0, *(-ord(letter) for letter in value))


def _cell(name: str, value: Any, metrics: Collection[str]) -> str:
    if value is None:
        return "-"
    if name in metrics and name not in _WORDS:
        return f"{value:.4f}"
    return _WORDS[name](value) if name in _WORDS else str(value)
