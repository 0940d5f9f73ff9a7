"""`nas evaluate`: segmentations compared with labels."""

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.output import ERR, OUT, print_json, table
from nas.errors import InputError

if TYPE_CHECKING:
    from nas.model.evaluating import Evaluation
    from nas.model.labelling import Labelling

_SHOWN = {"iou": "IoU", "volume_error": "volume error", "hausdorff95": "HD95", "surface_dice": "surface"}
"""Columns beside Dice."""


def evaluate(
    predictions: Annotated[Path, typer.Argument(help="Folder of segmentations.", metavar="DIR")],
    labels: Annotated[Path, typer.Option(help="Folder of labels with the same names.")],
    classes: Annotated[
        str | None,
        typer.Option(
            help='What values mean: "1=anterior,2=posterior".',
            show_default="what nas predict wrote, or every value that occurs",
        ),
    ] = None,
    ignore: Annotated[
        int | None, typer.Option(min=0, help="Value in the labels that does not count.", show_default="none")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="Of surface Dice, in mm (pixels where no spacing is known).")
    ] = 1.0,
    to: Annotated[Path | None, typer.Option(help="File for every case: .csv or .json.", show_default="none")] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            help="Folder for a PNG of each case, the worst first: truth and segmentation, drawn on --images.",
            show_default="none",
        ),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the images that were segmented.", show_default="none")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare segmentations with labels of the same names, by all metrics, on the labels' grid.

    A structure that is in neither of both is left out of a mean; one that is missed or invented counts 0. Labels that
    cannot be compared are listed at the end, with exit code 1; the others are.

    [bold]Example[/bold]

      nas evaluate predictions --labels labelsTs --to metrics.csv

      nas evaluate predictions --labels labelsTs --images imagesTs --pictures looked_at
    """
    from dataclasses import replace

    from rich.progress import Progress

    from nas.model.evaluating import evaluate_folder, labelling_written

    labelling = labelling_written(predictions) if classes is None else _labelling(classes)
    if ignore is not None:
        if labelling is None:
            raise InputError("--ignore: say what the other values mean, with --classes")
        labelling = replace(labelling, ignored=ignore)
    if (pictures is None) != (images is None):
        raise InputError("--pictures: needs --images, the folder of the images, and --images needs a folder to write")
    if to is not None and to.suffix not in (".csv", ".json"):
        raise InputError(f"--to: found {to.name!r}, expected a name that ends in .csv or .json")
    with Progress(console=ERR, transient=True, disable=not ERR.is_terminal) as progress:
        bar = progress.add_task("comparing", total=None)
        evaluation = evaluate_folder(
            predictions,
            labels,
            labelling,
            tolerance=tolerance,
            progress=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    if to is not None:
        _write(to, evaluation.to_csv() if to.suffix == ".csv" else json_module.dumps(evaluation.to_json(), indent=1))
    if pictures is not None and images is not None:
        from nas.model.pictures import write_pictures

        write_pictures(evaluation, predictions, labels, images, pictures)
    if json:
        print_json(evaluation.to_json())
    elif evaluation.scored:
        _show(evaluation)
    bad = [case for case in evaluation.cases if case.reason]
    for case in bad:
        ERR.print(f"left out: {case.case}: {case.reason}", soft_wrap=True, markup=False)
    if bad:
        sys.exit(1)


def _show(evaluation: "Evaluation") -> None:
    from nas.confirming import mean_interval
    from nas.confirming.statistics import FEW_CASES
    from nas.model.evaluating import mean_of_defined

    rows = []
    for index, name in [*enumerate(evaluation.targets), (None, "all")]:
        dice = mean_interval(evaluation.of("dice", index))
        means = [mean_of_defined(evaluation.of(metric, index)) for metric in _SHOWN]
        interval = "-" if dice.low != dice.low else f"{dice.low:.4f} to {dice.high:.4f}"
        rows.append((name, _figure(dice.estimate), interval, *(_figure(mean, 3) for mean in means)))
    title = f"{len(evaluation.scored)} cases" + (
        f", {evaluation.unlabelled} without a label" if evaluation.unlabelled else ""
    )
    columns = (_SHOWN | {"hausdorff95": f"HD95 {evaluation.unit}"}).values()
    OUT.print(table(title, ("structure", "Dice", "95% interval", *columns), rows))
    if len(evaluation.scored) < FEW_CASES:
        OUT.print(f"with fewer than {FEW_CASES} cases intervals are too short: take them as a hint")


def _figure(value: float, digits: int = 4) -> str:
    return "-" if value != value else f"{value:.{digits}f}"


def _labelling(text: str) -> "Labelling":
    from nas.model.labelling import Labelling

    classes, values = ["background"], [0]
    for part in text.split(","):
        value, _, name = part.partition("=")
        if not value.strip().isdigit() or not name.strip() or int(value) == 0 or int(value) in values:
            raise InputError(
                f'--classes: found {part!r}, expected values from 1 up and names: "1=anterior,2=posterior"'
            )
        classes.append(name.strip())
        values.append(int(value))
    return Labelling(tuple(classes), tuple(values))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"--to: {path} cannot be written ({error.strerror}); name another file") from None
