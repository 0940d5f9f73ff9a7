"""`nas data show`: a picture of a data set."""

from pathlib import Path
from typing import Annotated

import typer

from nas.cli.output import OUT

Folder = Annotated[
    str | None, typer.Argument(help="A folder of labelled images.", show_default="synthetic brain", metavar="DIR")
]
Layout = Annotated[
    str | None, typer.Option(help="Where files lie: a TOML file, or a shipped layout.", show_default="recognised")
]
Processes = Annotated[int | None, typer.Option(min=1, help="Cases at a time.", show_default="as many as cores")]


def show(
    folder: Folder = None,
    to: Annotated[Path, typer.Option(help="A web page (.html) or a picture (.png).")] = Path("check.html"),
    cases: Annotated[int, typer.Option(min=1, help="Cases to show at most.")] = 8,
    layout: Layout = None,
    processes: Processes = None,
) -> None:
    """Draw some cases of each kind with the outlines of their labels, and the warnings about them.

    Look at it before training: image and label should belong together.

    [bold]Example[/bold]

      nas data show Task04_Hippocampus --to check.html
    """
    from nas.cli.data import check_dataset
    from nas.data import open_dataset
    from nas.data.showing import make_sheet, write_sheet
    from nas.data.showing.writing import expect_kind

    expect_kind(to)
    dataset = open_dataset(folder, layout=layout)
    sheet = make_sheet(dataset, check_dataset(dataset, processes), cases)
    write_sheet(sheet, to)
    OUT.print(f"{to}", soft_wrap=True, markup=False)
