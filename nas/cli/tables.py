"""`nas tabulate` and `nas replay`: every member of a small space trained, and strategies compared on it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.output import ERR, OUT, print_json
from nas.cli.output import table as table_of
from nas.cli.parsing import parse_sizes
from nas.errors import InputError

if TYPE_CHECKING:
    from nas.searching.tables.regret import Standing
    from nas.searching.tables.signals import Signal
    from nas.searching.tables.table import Table


def tabulate(
    recipe: Annotated[str, typer.Argument(help="A study recipe that names space, patch and steps, or a TOML file.")],
    to: Annotated[Path, typer.Option(help="The table, a file that ends in .jsonl; gone on with where it exists.")],
    data: Annotated[str | None, typer.Option(help="A folder of labelled images.", show_default="brain")] = None,
    coarser: Annotated[float, typer.Option(help="How many times larger voxels are than planned.", min=1.0)] = 1.0,
    processes: Annotated[int, typer.Option(help="How many train at once, with a thread each.", min=1)] = 1,
    most: Annotated[
        int | None, typer.Option(help="How many trainings at most, for now.", min=1, show_default="all")
    ] = None,
    cache: Annotated[str, typer.Option(help="Folder for preprocessed data.")] = "runs/cache",
) -> None:
    """Train every member of a small space, one after the other, and keep curves and Dice of each in one file.

    It may take days, and be stopped at any moment: the same command goes on. The order is always the same and means
    nothing, so that what there is of a table is a fair sample of it.

    [bold]Example[/bold]

      nas tabulate small_volumes --data Task04_Hippocampus --coarser 1.5 --to small_volumes.jsonl
    """
    from nas.searching.events import Event, Note
    from nas.searching.tables.making import Order, make_table
    from nas.searching.tables.table import ENDING

    if to.suffix != ENDING:
        raise InputError(f"--to: found {to.name!r}, expected a name that ends in {ENDING}")

    def hear(event: Event) -> None:
        if isinstance(event, Note):
            ERR.print(event.text, soft_wrap=True)

    table = make_table(Order(recipe, data, coarser, cache), to, processes=processes, most=most, hear=hear)
    OUT.print(table.in_words)


def show(
    table: Annotated[str, typer.Argument(help="A shipped table, or a file that nas tabulate made.")],
    data: Annotated[
        str | None,
        typer.Option(help="Its data, for free scores of its untrained members as well.", show_default="no scores"),
    ] = None,
    cache: Annotated[str, typer.Option(help="Folder for preprocessed data.")] = "runs/cache",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """How complete a table is, how it was made, and what tells early which networks will be good.

    [bold]Example[/bold]

      nas table small_volumes
      nas table small_volumes --data Task04_Hippocampus
    """
    from nas.searching.tables.signals import noise, signals
    from nas.searching.tables.table import load_table

    read = load_table(table)
    found, deviation, best = signals(read), noise(read), read.best
    if data is not None:
        found += _scores(read, data, cache)
    document = {
        "table": read.in_words,
        "command": read.making.command,
        "data": read.making.data,
        "best": {"dice": round(best.dice, 4), "decisions": best.decisions},
        "noise": deviation,
        "signals": [one.to_json() for one in found],
    }
    if json:
        print_json(document)
        return
    OUT.print(f"{read.in_words}\nmade by: {read.making.command}", soft_wrap=True)
    OUT.print(f"best: Dice {best.dice:.4f}, {best.decisions}", soft_wrap=True)
    if deviation is not None:
        OUT.print(f"another seed gives another Dice: standard deviation {100 * deviation:.2f} points")
    rows = [(one.name, f"{one.correlation:.2f}", f"{one.low:.2f} to {one.high:.2f}") for one in found]
    OUT.print(table_of("rank correlation with the final Dice", ("what is known before", "all", "95% interval"), rows))


def _scores(table: "Table", data: str, cache: str) -> "list[Signal]":
    from rich.progress import Progress

    from nas.searching.tables.making import Order, open_workshop
    from nas.searching.tables.scoring import free_scores

    shop = open_workshop(Order(table.making.study, data, table.making.coarser, cache))
    with Progress(console=ERR, transient=True, disable=not ERR.is_terminal) as progress:
        bar = progress.add_task("scoring", total=None)
        return free_scores(table, shop, lambda count, total: progress.update(bar, completed=count, total=total))


def replay(
    table: Annotated[str, typer.Argument(help="A shipped table, or a file that nas tabulate made.")],
    strategy: Annotated[
        list[str] | None,
        typer.Option(help="What trains when, and what it trains: whole:random; repeatable.", show_default="all"),
    ] = None,
    seeds: Annotated[int, typer.Option(help="How often each is replayed.", min=1)] = 50,
    workers: Annotated[int, typer.Option(help="Simulated workers.", min=1)] = 1,
    budgets: Annotated[str | None, typer.Option(help="Whole trainings to spend.", show_default="2,4,8,16,32")] = None,
    processes: Annotated[int, typer.Option(help="How many replay at once.", min=1)] = 1,
    to: Annotated[Path | None, typer.Option(help="File for all figures, .csv or .json.", show_default="none")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run strategies on a table, many times and with simulated time, and say how far from its best they end.

    Paces: whole trains each network to the end, brief all briefly and then the best, halving in rungs, asynchronous in
    rungs without waiting. Proposers: random, quasi_random, tree_parzen, evolution, local_search.

    [bold]Example[/bold]

      nas replay small_volumes --strategy brief:random --strategy halving:tree_parzen
    """
    from nas.searching.tables.contestants import names
    from nas.searching.tables.regret import BUDGETS, Contest, contest
    from nas.searching.tables.table import load_table

    if to is not None and to.suffix not in (".csv", ".json"):
        raise InputError(f"--to: found {to.name!r}, expected a name that ends in .csv or .json")
    spent = parse_sizes(budgets, "--budgets") if budgets else BUDGETS
    found = contest(Contest(table, tuple(strategy or names()), seeds, workers, tuple(sorted(spent))), processes)
    words = load_table(table).in_words
    document = {"table": words, "workers": workers, "regret": [one.to_json() for one in found]}
    if to is not None:
        _write(to, document)
    if json:
        print_json(document)
    else:
        _show(words, found)


def _show(words: str, found: Sequence["Standing"]) -> None:
    from nas.searching.tables.regret import NEAR, near_after

    by_name: dict[str, list[Standing]] = {}
    for one in found:
        by_name.setdefault(one.strategy, []).append(one)
    budgets = sorted({one.budget for one in found})
    rows = []
    for name, standings in by_name.items():
        near = near_after(standings)
        rows.append((name, "-" if near is None else str(near), *(_regret(one) for one in standings)))
    near_column = f"within {100 * NEAR:.1f} after"
    OUT.print(words, soft_wrap=True)
    OUT.print(
        table_of(
            "Dice points from the best, median and half of the seeds, by whole trainings spent",
            ("strategy", near_column, *map(str, budgets)),
            rows,
        )
    )


def _regret(one: "Standing") -> str:
    low, high = one.quartiles
    if one.middle == float("inf"):
        return "-"
    return f"{100 * one.middle:.2f} ({100 * low:.2f} to {100 * high:.2f})"


def _write(to: Path, document: Mapping[str, Any]) -> None:
    import csv
    import json
    from io import StringIO

    if to.suffix == ".json":
        text = json.dumps(document, indent=1)
    else:
        rows = document["regret"]
        stream = StringIO()
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        text = stream.getvalue()
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"--to: {to} cannot be written ({error.strerror}); name another file") from None
