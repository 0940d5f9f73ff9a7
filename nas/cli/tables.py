"""`nas tabulate` and `nas replay`: every member of a small space trained, and strategies compared on it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.output import ERR, OUT, print_json
from nas.cli.output import table as table_of
from nas.cli.parsing import parse_shares, parse_sizes
from nas.errors import InputError

if TYPE_CHECKING:
    from nas.searching.tables.regret import Contest, Results
    from nas.searching.tables.signals import Signal
    from nas.searching.tables.standings import Standing, Worth
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
        typer.Option(help="What trains when, and what it trains: whole:random; repeatable.", show_default="the usual"),
    ] = None,
    parts: Annotated[
        str | None,
        typer.Option(help="A strategy that is replayed whole and with each of its parts switched off in turn."),
    ] = None,
    seeds: Annotated[int, typer.Option(help="How often each is replayed.", min=1)] = 50,
    workers: Annotated[int, typer.Option(help="Simulated workers.", min=1)] = 1,
    budgets: Annotated[
        str | None, typer.Option(help="Whole trainings to spend.", show_default="2,3,4,6,8,12,16,24,32")
    ] = None,
    rungs: Annotated[
        str | None,
        typer.Option(help="Shares of a training after which networks are compared.", show_default="0.0625,0.25,1"),
    ] = None,
    objective: Annotated[
        str, typer.Option(help="dice; or several, as dice,parameters or dice,macs: fronts by their hypervolume.")
    ] = "dice",
    processes: Annotated[int, typer.Option(help="How many replay at once.", min=1)] = 1,
    runs: Annotated[
        Path | None,
        typer.Option(help="File (.jsonl) that each replay is added to; what it holds is not replayed again."),
    ] = None,
    to: Annotated[Path | None, typer.Option(help="File for all figures, .csv or .json.", show_default="none")] = None,
    figure: Annotated[Path | None, typer.Option(help="File for a drawing, .svg.", show_default="none")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Run strategies on a table, many times and with simulated time, and say how far from its best they end.

    Paces: whole trains each network to the end, brief all briefly and then the best, halving in rungs, asynchronous in
    rungs without waiting. Proposers: random, quasi_random, tree_parzen, nsga2, evolution, local_search. Optuna alone:
    optuna:tpe, optuna:tpe_hyperband, optuna:nsga2. It may be stopped: with --runs the same command goes on.

    [bold]Examples[/bold]

      nas replay small_volumes --strategy brief:random --strategy halving:tree_parzen

      nas replay small_volumes --runs replays.jsonl --to regret.csv --figure regret.svg

      nas replay small_volumes --parts halving:tree_parzen --budgets 8,16

      nas replay small_volumes --objective dice,parameters --seeds 20
    """
    from nas.searching.tables.contestants import RUNGS, without
    from nas.searching.tables.drawing import drawing
    from nas.searching.tables.kept import ENDING
    from nas.searching.tables.regret import BUDGETS, Contest
    from nas.searching.tables.table import load_table
    from nas.study.objective import read_objectives

    _expect_ending("--to", to, (".csv", ".json"))
    _expect_ending("--figure", figure, (".svg",))
    _expect_ending("--runs", runs, (ENDING,))
    spent = parse_sizes(budgets, "--budgets") if budgets else BUDGETS
    if min(spent) < 1:
        raise InputError(f"--budgets: found {budgets!r}, expected whole trainings, one at least")
    off = without(parts) if parts else {}
    named = [*(strategy or ()), *([parts, *off.values()] if parts else ())]
    of = Contest(
        table,
        tuple(dict.fromkeys(named)),
        seeds,
        workers,
        tuple(sorted(set(spent))),
        read_objectives(objective),
        runs,
        rungs=parse_shares(rungs, "--rungs") if rungs else RUNGS,
    )
    results = _replayed(of, processes)
    words = load_table(table).in_words
    worths = _worths(results, parts, off) if parts else []
    document = {
        "table": words,
        "workers": workers,
        "objective": objective,
        "regret": [one.to_json() for one in results.standings],
        "near": [] if results.by_front else [one.to_json() for one in results.arrivals],
        "parts": [one.to_json() for one in worths],
    }
    if to is not None:
        _write(to, _as_text(document, to.suffix), "--to")
    if figure is not None:
        _write(figure, drawing(results, f"{words}, {_of_seeds(seeds, workers)}"), "--figure")
    if json:
        print_json(document)
    else:
        _show(words, results, parts, worths)


def _replayed(of: "Contest", processes: int) -> "Results":
    """The contest, with a bar on standard error while it goes on."""
    from rich.progress import Progress

    from nas.searching.tables.regret import contest

    with Progress(console=ERR, transient=True, disable=not ERR.is_terminal) as progress:
        bar = progress.add_task("replaying", total=None)
        return contest(of, processes, lambda count, total: progress.update(bar, completed=count, total=total))


def _worths(results: "Results", parts: str, off: Mapping[str, str]) -> "list[Worth]":
    from nas.searching.tables.standings import worth

    return [
        worth(part, results.standing(parts, budget), results.standing(name, budget))
        for part, name in off.items()
        for budget in results.of.budgets
    ]


def _expect_ending(option: str, file: Path | None, endings: Sequence[str]) -> None:
    if file is not None and file.suffix not in endings:
        raise InputError(f"{option}: found {file.name!r}, expected a name that ends in {' or '.join(endings)}")


def _of_seeds(seeds: int, workers: int) -> str:
    at_once = "one worker" if workers == 1 else f"{workers} workers"
    return f"{seeds} seeds, {at_once}"


_NAMES, _COLUMN = 40, 20
"""Characters of a terminal's line that the names take, and that each budget takes; a file has all budgets."""


def _show(words: str, results: "Results", parts: str | None, worths: "Sequence[Worth]") -> None:
    of = results.of
    budgets = _spread(of.budgets, max((OUT.width - _NAMES) // _COLUMN, 1))
    OUT.print(f"{words}; {_of_seeds(of.seeds, of.workers)}", soft_wrap=True)
    what = "percent of the table's hypervolume missing" if results.by_front else "Dice points from the best"
    near = f"as good as {of.names[0]} in the end" if results.by_front else "within 0.3 points of the best"
    rows = [
        (name, _near(results, name), *(_regret(results.standing(name, budget)) for budget in budgets))
        for name in of.names
    ]
    title = f"{what} after so many whole trainings, median (95% interval); near is after how many {near}"
    OUT.print(table_of(title, ("strategy", "near", *map(str, budgets)), rows))
    if not worths:
        return
    by_part: dict[str, list[Worth]] = {}
    for one in worths:
        by_part.setdefault(one.part, []).append(one)
    rows = [(part, *(_worth(one) for one in of_part if one.budget in budgets)) for part, of_part in by_part.items()]
    OUT.print()
    OUT.print(table_of(f"what each part of {parts} is worth, in the same unit", ("part", *map(str, budgets)), rows))


def _spread(budgets: Sequence[int], most: int) -> list[int]:
    """At most so many of the budgets, the largest among them."""
    step = -(-len(budgets) // most)
    return list(budgets[::-step])[::-1]


def _near(results: "Results", name: str) -> str:
    from nas.searching.tables.standings import equal_after

    if results.by_front:
        last = results.standing(results.of.names[0], results.of.budgets[-1])
        after = equal_after([results.standing(name, budget) for budget in results.of.budgets], last)
        return "-" if after is None else str(after)
    arrival = next(one for one in results.arrivals if one.strategy == name)
    low, middle, high = (
        "-" if value == float("inf") else f"{value:.3g}" for value in (arrival.low, arrival.middle, arrival.high)
    )
    return middle if low == middle == high else f"{middle} ({low} to {high})"


def _regret(one: "Standing") -> str:
    return "-" if one.middle == float("inf") else _points(one.middle, *one.interval)


def _worth(one: "Worth") -> str:
    return _points(one.middle, *one.interval)


def _points(middle: float, low: float, high: float) -> str:
    return f"{100 * middle:.2f} ({100 * low:.1f} to {100 * high:.1f})"


def _as_text(document: Mapping[str, Any], suffix: str) -> str:
    import csv
    import json
    from io import StringIO

    if suffix == ".json":
        return json.dumps(document, indent=1)
    near = {row["strategy"]: row["trainings"] for row in document["near"]}
    rows = [row | {"near_after": near.get(row["strategy"])} for row in document["regret"]]
    stream = StringIO()
    writer = csv.DictWriter(stream, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _write(to: Path, text: str, option: str) -> None:
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{option}: {to} cannot be written ({error.strerror}); name another file") from None
