"""`nas confirm`: whether what a search found is really better."""

import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.options import (
    ArtifactsOption,
    CacheOption,
    DeviceOption,
    DevicesOption,
    EngineOption,
    LengthOption,
    OwnDataOption,
    OwnSpaceOption,
    OwnWeightsOption,
    StorageOption,
    StudyName,
    TogetherOption,
    WorkersOption,
    machine_settings,
)
from nas.cli.output import ERR, OUT, duration, print_json, short_count, table
from nas.cli.progress import Display
from nas.cli.stopping import resumable, stop_on
from nas.cli.studies import chosen, open_existing, weights_noted
from nas.errors import InputError
from nas.study import DEFAULT_STORAGE

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from nas.confirming.judging import Judged
    from nas.searching.afterwards.confirming import Confirmed, Part


def confirm(
    study: StudyName = None,
    top: Annotated[int, typer.Option(help="How many of the best networks that the search found.", min=1)] = 3,
    folds: Annotated[int, typer.Option(help="How many of the data's folds.", min=2)] = 5,
    seeds: Annotated[int, typer.Option(help="Trainings of each network on each fold.", min=1)] = 2,
    length: LengthOption = None,
    budget: TogetherOption = None,
    holdout: Annotated[
        bool, typer.Option("--holdout/--no-holdout", help="Score on held-out cases too: a look that is kept on record.")
    ] = True,
    against: Annotated[
        Path | None,
        typer.Option(help="Results case by case of any other tool: a CSV with a column case.", show_default="none"),
    ] = None,
    column: Annotated[str | None, typer.Option(help="Of that CSV, the only one.", show_default="all")] = None,
    margin: Annotated[float, typer.Option(help="What a network may be worse by and still be called no worse.")] = 0.01,
    csv: Annotated[Path | None, typer.Option(help="File for every case's results.", show_default="none")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
    simulate: Annotated[
        int | None,
        typer.Option(
            help="Train nothing: compare in so many simulated studies, with a difference and without, and print how "
            "often that is right.",
            min=1,
            show_default="no",
        ),
    ] = None,
    workers: WorkersOption = 1,
    device: DeviceOption = None,
    devices: DevicesOption = None,
    engine: EngineOption = "local",
    space: OwnSpaceOption = None,
    data: OwnDataOption = None,
    pretrained: OwnWeightsOption = None,
    cache: CacheOption = "runs/cache",
    storage: StorageOption = DEFAULT_STORAGE,
    artifacts: ArtifactsOption = None,
) -> None:
    """Train finalists, the best published network and the plain one on every fold, and say whether any is better.

    With intervals for other cases and other trainings, and in plain words. The same command again trains what is
    missing, and prints the same at once when nothing is.

    [bold]Examples[/bold]

      nas confirm unet_family-Hippocampus --top 3 --folds 5 --seeds 2

      nas confirm --length 100s --against nnunet_per_case.csv --column nnunet --csv cases.csv

      nas confirm --simulate 1000
    """
    if simulate is not None:
        _simulate(simulate)
        return
    from nas.searching.afterwards.confirming import ConfirmSettings
    from nas.searching.afterwards.confirming import confirm as run
    from nas.searching.settings import parse_duration

    stop_on(signal.SIGTERM, signal.SIGUSR1)
    wishes = ConfirmSettings(
        top=top,
        folds=folds,
        seeds=seeds,
        seconds=None if length is None else parse_duration(length, "length"),
        budget=None if budget is None else parse_duration(budget),
        holdout=holdout,
        against=against,
        column=column,
        margin=margin,
    )
    with open_existing(storage, artifacts) as opened, Display() as display, resumable(display):
        stored = weights_noted(chosen(opened, study), pretrained, cache)
        machine = machine_settings(stored.settings.space, space, data, workers, device, devices, engine, cache)
        confirmed = run(stored, wishes, machine, display)
    if csv is not None:
        _write(csv, confirmed)
    if json:
        print_json(confirmed.to_json())
        return
    _show(confirmed)


def _show(confirmed: "Confirmed") -> None:
    from nas.study.looks import in_words

    costs = {cost.name: cost for cost in confirmed.networks}
    for part in confirmed.parts:
        for judged in part.judged[:1]:
            OUT.print(table(_title(confirmed, part, judged), _NETWORK, _networks(judged, costs)))
            OUT.print()
        if len(part.judged) > 1:
            OUT.print(table("each structure", _STRUCTURE, _structures(part)))
            OUT.print()
        OUT.print(table("differences", _DIFFERENCE, _differences(part)))
        OUT.print()
        for sentence in part.judged[0].sentences:
            OUT.print(sentence, soft_wrap=True)
        OUT.print()
    names = {cost.trials: cost.name for cost in confirmed.networks}
    for trials, name in names.items():
        if len(trials) > 1:
            members = "; ".join(names.get((number,), f"trial {number}") for number in trials)
            OUT.print(f"{name}: {members}; nas train {confirmed.study} --top {len(trials)} --to model", soft_wrap=True)
    for problem in confirmed.left_out:
        OUT.print(f"left out: {problem}", soft_wrap=True)
    OUT.print(
        "seeds: deviation between them; first: probability of rank one; p: Wilcoxon, Holm; shows: the smallest "
        "difference that can be told",
        soft_wrap=True,
    )
    OUT.print(f"held out: {in_words(confirmed.held_out['cases'], confirmed.held_out['looks'])}")


_NETWORK = ("network", "Dice", "95% interval", "seeds", "first", "parameters", "trained in")
"""Seeds: the deviation between them. First: the probability of rank one. MACs are in --json: 80 letters are few."""
_STRUCTURE = ("structure", "network", "Dice", "95% interval")
_DIFFERENCE = ("structure", "network", "against", "difference", "interval", "p", "shows")
"""p: Wilcoxon's after Holm. Shows: the smallest difference that so many cases and trainings can show."""


def _title(confirmed: "Confirmed", part: "Part", judged: "Judged") -> str:
    first = judged.networks[0]
    seeds = f"{first.seeds} seed{'' if first.seeds == 1 else 's'}"
    few = "; fewer than 50: intervals are too short" if first.cases < 50 else ""
    return f"{confirmed.study}: {part.cases}, {first.cases} cases, {seeds}{few}"


def _networks(judged: "Judged", costs: Any) -> Iterator[tuple[str, ...]]:
    for network in judged.networks:
        cost = costs.get(network.name)
        yield (
            network.name,
            _figure(network.mean.estimate),
            _interval(network.mean),
            _figure(network.seed_deviation),
            f"{network.rank_one:.0%}",
            "-" if cost is None else short_count(cost.parameters),
            "-" if cost is None else duration(cost.seconds),
        )


def _structures(part: "Part") -> Iterator[tuple[str, ...]]:
    for judged in part.judged[1:]:
        for network in judged.networks:
            yield judged.structure, network.name, _figure(network.mean.estimate), _interval(network.mean)


def _differences(part: "Part") -> Iterator[tuple[str, ...]]:
    for judged in part.judged:
        for comparison in judged.comparisons:
            yield (
                judged.structure,
                comparison.name,
                comparison.baseline,
                f"{comparison.difference.estimate:+.4f}",
                _interval(comparison.difference, "+"),
                f"{comparison.p:.3f}",
                _figure(comparison.detectable),
            )


def _interval(interval: Any, sign: str = "") -> str:
    return "-" if interval.low != interval.low else f"{interval.low:{sign}.4f} to {interval.high:{sign}.4f}"


def _figure(value: float) -> str:
    return "-" if value != value else f"{value:.4f}"


def _write(path: Path, confirmed: "Confirmed") -> None:
    from nas.confirming.per_case import to_csv

    try:
        path.write_text(to_csv({part.cases: part.scores for part in confirmed.parts}), encoding="utf-8")
    except OSError as error:
        raise InputError(f"--csv: {path} cannot be written ({error.strerror}); name another file") from None


def _simulate(studies: int) -> None:
    """Print how often a comparison is right; exit code 1 where it is wrong more often than it may be."""
    from rich.progress import Progress

    from nas.confirming.simulation import LEAST_NAMED, MOST_FALSE, WORLDS, rates

    worlds = []
    with Progress(console=ERR, transient=True, disable=not ERR.is_terminal) as progress:
        for name in WORLDS:
            bar = progress.add_task(name, total=2 * studies)
            worlds.append(rates(name, studies, partial(_advance, progress, bar)))
    rows = [
        (s.world, f"{s.false:.1%}", str(s.large_enough), f"{s.named:.1%}" if s.large_enough else "-") for s in worlds
    ]
    title = (
        f"{studies} simulated studies of three finalists without a difference, and as many with one; may be: falsely "
        f"better {MOST_FALSE:.0%} at most, named {LEAST_NAMED:.0%} at least of those that are large enough"
    )
    OUT.print(table(title, ("study", "falsely better", "large enough", "named"), rows))
    if not all(world.right for world in worlds):
        sys.exit(1)


def _advance(progress: "Progress", bar: "TaskID", done: int) -> None:
    progress.update(bar, completed=done)
