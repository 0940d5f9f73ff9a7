"""`nas predict`: segment new images with a trained model."""

import json as json_module
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.output import ERR, OUT, print_json
from nas.errors import InputError

if TYPE_CHECKING:
    from nas.model.record import Done


_SEGMENTS = "dicom-seg"


def predict(
    model: Annotated[Path, typer.Argument(help="Folder of a trained model.", metavar="MODEL")],
    images: Annotated[
        Path,
        typer.Option(
            help="Folder of images or of DICOM series, or one of them; NAME_0000, NAME_0001 are channels of NAME."
        ),
    ],
    to: Annotated[Path, typer.Option(help="Folder to write, new or begun by the same command.")],
    form: Annotated[
        str | None,
        typer.Option("--as", help="dicom-seg: segments, of DICOM series.", show_default="the kind of the image"),
    ] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write NAME.npz too, with each class's probability.")
    ] = False,
    largest: Annotated[
        list[str] | None,
        typer.Option(help="Keep only the largest part of a class; once for each class.", show_default="none"),
    ] = None,
    minimum_volume: Annotated[
        list[str] | None,
        typer.Option(help="CLASS=MM3: drop parts smaller than that (mm² in 2D).", show_default="none"),
    ] = None,
    overlap: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=0.9, help="Of neighbouring windows, as a share.", show_default="windows as in validation"
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, cuda or cuda:1.", show_default="a GPU if there is one")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="Images at a time; each takes memory of its own.")] = 1,
    report: Annotated[
        Path | None, typer.Option(help="JSON file with what became of each image.", show_default="none")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print that report.")] = False,
) -> None:
    """Segment images with a trained model, each on its own grid.

    Images are prepared as in training. The same command goes on where it was interrupted. Images that cannot be used
    are listed at the end, with exit code 1; the others are done.

    [bold]Example[/bold]

      nas predict model --images imagesTs --to predictions --report report.json

      nas predict model --images series --as dicom-seg --to segments
    """
    from nas.model.predicting import predict_folder
    from nas.model.record import Options, report_of
    from nas.network.device import pick_device

    if form not in (None, _SEGMENTS):
        raise InputError(f"--as: found {form!r}, expected {_SEGMENTS}, or nothing for the kind of the image")
    options = Options(
        probabilities, tuple(largest or ()), _volumes(minimum_volume or []), overlap, segments=form == _SEGMENTS
    )
    with _progress() as progress:
        results = predict_folder(
            model,
            images,
            to,
            options,
            device=pick_device(device),
            processes=processes,
            announce=lambda text: ERR.print(text, soft_wrap=True, markup=False),
            progress=progress,
        )
    document = report_of(results)
    if report is not None:
        _write(report, document)
    bad = [result for result in results if result.reason]
    if json:
        print_json(document)
    else:
        OUT.print(
            f"{len(results) - len(bad)} of {len(results)} images segmented, in {to}", soft_wrap=True, markup=False
        )
    for result in bad:
        ERR.print(f"left out: {result.name}: {result.reason}", soft_wrap=True, markup=False)
    if bad:
        sys.exit(1)


def _volumes(texts: list[str]) -> dict[str, float]:
    volumes = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            volumes[name] = float(number)
        except ValueError:
            volumes[name] = -1.0
        if not name or not 0 <= volumes[name] < float("inf"):
            raise InputError(f"--minimum-volume: found {text!r}, expected CLASS=MM3 such as hippocampus=100")
    return volumes


def _write(path: Path, document: object) -> None:
    try:
        path.write_text(json_module.dumps(document, indent=1), encoding="utf-8")
    except OSError as error:
        raise InputError(f"--report: {path} cannot be written ({error.strerror}); name another file") from None


class _Progress:
    """A line that moves, and one for each image that something is said of."""

    def __init__(self) -> None:
        from rich.progress import Progress

        self.bar = Progress(console=ERR, transient=True, disable=not ERR.is_terminal)
        self._task = self.bar.add_task("segmenting", total=None)

    def __call__(self, result: "Done", done: int, total: int) -> None:
        self.bar.update(self._task, completed=done, total=total)
        for warning in result.warnings:
            self.bar.console.print(f"warning: {result.name}: {warning}", soft_wrap=True, markup=False)


@contextmanager
def _progress() -> Iterator[_Progress]:
    progress = _Progress()
    with progress.bar:
        yield progress
