"""`nas data show`: a picture of a data set."""

from pathlib import Path
from typing import Annotated

import typer

from nas.cli.data import FolderOption, Groups, LabelGroups, LayoutOption, Processes, check_dataset
from nas.cli.output import OUT


def show(
    folder: FolderOption = None,
    to: Annotated[Path, typer.Option(help="A web page (.html) or a picture (.png).")] = Path("check.html"),
    cases: Annotated[int, typer.Option(min=1, help="Cases to show at most.")] = 8,
    groups: Groups = None,
    labels: LabelGroups = None,
    layout: LayoutOption = None,
    processes: Processes = None,
) -> None:
    """Draw some cases of each kind with the outlines of their labels, and the warnings about them.

    Look at it before training: image and label should belong together.

    [bold]Example[/bold]

      nas data show Task04_Hippocampus --to check.html
    """
    from nas.data import open_dataset, read_options
    from nas.data.showing import make_sheet, write_sheet
    from nas.data.showing.writing import expect_kind

    expect_kind(to)
    dataset = open_dataset(folder, read_options(groups, labels or (), layout))
    write_sheet(make_sheet(dataset, check_dataset(dataset, processes), cases), to)
    OUT.print(f"{to}", soft_wrap=True, markup=False)
