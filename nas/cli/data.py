"""`nas data`: get a data set, look at it before training on it, prepare it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from nas.cli.output import ERR, OUT, print_json, table

if TYPE_CHECKING:
    from nas.data import Dataset, Fingerprint, Preprocessing

app = typer.Typer(no_args_is_help=True, help="Get a data set, look at it before training on it, prepare it.")

AXES = {2: ("rows", "columns"), 3: ("first", "second", "third")}
ORIENTED = ("left to right", "back to front", "feet to head")
UNKNOWN = "unknown"
FEW_NAMES = 3
NNUNETS = "nnU-Net's rule"

FolderOption = Annotated[
    str | None, typer.Argument(help="A folder of labelled images.", show_default="synthetic brain", metavar="DIR")
]
Groups = Annotated[
    str | None,
    typer.Option(
        help="Whose the cases are, so that no patient is in two folds: a CSV of case and group, or a pattern of names.",
        metavar="FILE|PATTERN",
    ),
]
LabelGroups = Annotated[
    list[str] | None,
    typer.Option(
        "--labels",
        help='Label values that are one class, and its name: "1,255=lesion". Repeatable.',
        metavar="TEXT",
    ),
]
LayoutOption = Annotated[
    str | None,
    typer.Option(
        "--layout",
        help="Where files lie: a TOML file, or a shipped layout.",
        show_default="recognised",
        metavar="FILE|NAME",
    ),
]
Processes = Annotated[int | None, typer.Option(min=1, help="Cases at a time.", show_default="as many as cores")]


@app.command("check")
def check(
    folder: FolderOption = None,
    groups: Groups = None,
    labels: LabelGroups = None,
    layout: LayoutOption = None,
    processes: Processes = None,
    json: Annotated[bool, typer.Option("--json", help="Print the fingerprint as JSON.")] = False,
) -> None:
    """Read every case, refuse what cannot be trained on, and show what the data look like.

    [bold]Example[/bold]

      nas data check Task04_Hippocampus
      nas data check Dataset027_ACDC --groups "{group}_frame*"
    """
    from nas.data import open_dataset, plan_preprocessing, read_options

    dataset = open_dataset(folder, read_options(groups, labels or (), layout))
    fingerprint = check_dataset(dataset, processes)
    if json:
        print_json(fingerprint.to_json())
        return
    _show(dataset, fingerprint)
    _show_plan(plan_preprocessing(fingerprint), fingerprint)
    OUT.print()
    for warning in fingerprint.warnings:
        OUT.print(f"warning: {warning}", soft_wrap=True, markup=False)
    if not fingerprint.warnings:
        OUT.print("no warnings")


@app.command("prepare")
def prepare(
    folder: FolderOption = None,
    groups: Groups = None,
    labels: LabelGroups = None,
    layout: LayoutOption = None,
    cache: Annotated[Path, typer.Option(help="Folder that holds prepared data.")] = Path("runs/cache"),
    processes: Processes = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read all of it again and compare checksums.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Turn, crop, resample and normalise every case once, into a cache that all training shares.

    A search does this by itself; do it by hand where the machine that trains should not, as on a cluster.
    The same command goes on where it was interrupted, and does nothing where all is done.

    [bold]Example[/bold]

      nas data prepare Task04_Hippocampus
    """
    from nas.data import available_processes, open_dataset, plan_preprocessing, prepare_dataset, read_options
    from nas.data.prepared import damaged_files
    from nas.errors import InputError

    dataset = open_dataset(folder, read_options(groups, labels or (), layout))
    settings = plan_preprocessing(check_dataset(dataset, processes))
    with _progress("preparing cases", len(dataset.cases)) as progress:
        prepared = prepare_dataset(
            dataset, settings, cache, processes=processes or available_processes(), progress=progress
        )
    damaged = damaged_files(prepared) if verify else ()
    if damaged:
        raise InputError(
            f"{damaged[0]}: is not what was written ({len(damaged)} such files); delete {prepared.folder} and prepare "
            "it again"
        )
    size = sum(path.stat().st_size for path in prepared.folder.rglob("*") if path.is_file())
    if json:
        print_json(
            {
                "folder": str(prepared.folder),
                "digest": prepared.digest,
                "cases": len(prepared.cases),
                "bytes": size,
                "settings": settings.to_json(),
            }
        )
        return
    OUT.print(f"{len(prepared.cases)} cases, {size / 2**20:.1f} MiB, in {prepared.folder}", soft_wrap=True)


@app.command("fetch")
def fetch(
    task: Annotated[str, typer.Argument(help="Such as Task04_Hippocampus.")],
    to: Annotated[Path, typer.Option(help="Folder in which the data set's own folder is made.")] = Path("."),
) -> None:
    """Download a task of the Medical Segmentation Decathlon, check it and unpack it.

    An interrupted download goes on with the same command. The data are under the licence CC-BY-SA 4.0.

    [bold]Example[/bold]

      nas data fetch Task04_Hippocampus --to data
    """
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from nas.data.fetching import fetch as run
    from nas.data.fetching import source_of

    source = source_of(task)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=ERR, transient=True) as progress:
        bar = progress.add_task(f"fetching {task}", total=None)
        there = run(task, to, source, lambda done, total: progress.update(bar, completed=done, total=total))
    OUT.print(f"{there}", soft_wrap=True)


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int, int], None]]:
    from rich.progress import Progress

    with Progress(console=ERR, transient=True) as progress:
        bar = progress.add_task(what, total=total)
        yield lambda done, _: progress.update(bar, completed=done)


def check_dataset(dataset: "Dataset", processes: int | None) -> "Fingerprint":
    """Read every case, with a bar that moves."""
    from nas.data import check as run
    from nas.data.prepared import processes_for

    with _progress("reading cases", len(dataset.cases)) as progress:
        return run(dataset, progress, processes=processes or processes_for(dataset))


def _show(dataset: "Dataset", fingerprint: "Fingerprint") -> None:
    origin = f" ({dataset.origin})" if dataset.synthetic else ""
    OUT.print(
        Text.assemble(
            (fingerprint.name, "bold"),
            f"{origin}: {fingerprint.cases} cases, {fingerprint.axes}D{_stored(fingerprint)}",
        ),
        soft_wrap=True,
    )
    _show_sizes(fingerprint)
    _show_classes(fingerprint)
    _show_channels(fingerprint)
    _show_folds(fingerprint)
    for group in fingerprint.left_out:
        names = ", ".join(group.names[:FEW_NAMES]) + (", ..." if len(group.names) > FEW_NAMES else "")
        OUT.print(f"left out: {len(group.names)} {group.reason} ({names})", soft_wrap=True, markup=False)


def _stored(fingerprint: "Fingerprint") -> str:
    """How the files are turned, as far as they say."""
    codes = dict(fingerprint.orientations)
    unknown = fingerprint.cases - sum(codes.values())
    if fingerprint.axes == 3 and unknown:
        codes["in an orientation that the files do not tell"] = unknown
    return f", stored as {', '.join(f'{code}: {count}' for code, count in codes.items())}" if codes else ""


def _show_sizes(fingerprint: "Fingerprint") -> None:
    shapes = zip(fingerprint.shape_minimum, fingerprint.shape_median, fingerprint.shape_maximum, strict=True)
    spacings = zip(fingerprint.spacing_minimum, fingerprint.spacing_median, fingerprint.spacing_maximum, strict=True)
    oriented = fingerprint.axes == 3 and sum(fingerprint.orientations.values()) == fingerprint.cases
    axes = ORIENTED if oriented else AXES[fingerprint.axes]
    rows = [
        (axis, *map(str, shape), *((f"{step:.4g}" if fingerprint.measured else UNKNOWN) for step in spacing))
        for axis, shape, spacing in zip(axes, shapes, spacings, strict=True)
    ]
    sizes = ("axis", "fewest voxels", "median", "most", "finest mm", "median", "coarsest")
    OUT.print(table("size and spacing", sizes, rows))
    if not fingerprint.measured:
        OUT.print("the files tell no spacing: voxels count as equally long along all axes", soft_wrap=True)


def _show_classes(fingerprint: "Fingerprint") -> None:
    unit, size = ("ml", 1000) if fingerprint.axes == 3 else ("mm²", 1)
    unit, size = (unit, size) if fingerprint.measured else ("voxels" if fingerprint.axes == 3 else "pixels", 1)
    classes = [
        (c.name, f"{c.voxel_fraction:.2%}", str(c.cases), *(f"{volume / size:.4g}" for volume in c.volumes))
        for c in fingerprint.classes
    ]
    amounts = ("class", "of all voxels", "cases", f"least {unit}", "median", "most")
    OUT.print(table("classes", amounts, classes))
    for region in fingerprint.regions:
        OUT.print(f"region {region.in_words}", soft_wrap=True, markup=False)
    if fingerprint.ignored_fraction:
        OUT.print(f"{fingerprint.ignored_fraction:.2%} of the voxels are of unknown class and do not count")


def _show_channels(fingerprint: "Fingerprint") -> None:
    channels = [
        (
            c.name,
            *(f"{v:.4g}" for v in (c.minimum, c.maximum, c.mean, c.deviation, c.foreground.low, c.foreground.high)),
        )
        for c in fingerprint.channels
    ]
    columns = ("channel", "lowest", "highest", "mean", "deviation", "in structures from", "to")
    OUT.print(table("intensities as stored", columns, channels))


def _show_folds(fingerprint: "Fingerprint") -> None:
    """Where the folds come from, unless they are the usual ones of single cases."""
    folds = fingerprint.folds
    if folds is None or (folds.source == NNUNETS and not folds.groups):
        return
    groups = f", {folds.groups} groups of cases kept together" if folds.groups else ""
    OUT.print(f"folds: {folds.count}, from {folds.source}{groups}", soft_wrap=True, markup=False)


def _show_plan(settings: "Preprocessing", fingerprint: "Fingerprint") -> None:
    """What will be done to the data, in a line each."""
    from nas.data.preprocessing import matches

    known = zip(fingerprint.spacing_minimum, fingerprint.spacing_maximum, settings.spacing, strict=True)
    spacing = " x ".join(f"{step:.4g}" for step in settings.spacing) + " mm"
    kept = all(matches(low, target) and matches(high, target) for low, high, target in known)
    resampling = f"spacing stays {spacing}" if kept else f"all cases are resampled to {spacing}"
    OUT.print(f"\nin training: {resampling if fingerprint.measured else 'voxels stay as they are'}")
    for channel, how in zip(fingerprint.channels, settings.channels, strict=True):
        if how.low is not None:
            text = f"clipped to {how.low:.4g} to {how.high:.4g}, the same for all cases"
        else:
            text = "each case to mean 0 and deviation 1" + (", of its content without the padding" * how.inside)
        OUT.print(f"in training: channel '{channel.name}': {text}", soft_wrap=True, markup=False)
