"""`nas tabulate`: every member of a small space trained, for strategies to be compared on."""

from pathlib import Path
from typing import Annotated

import typer

from nas.cli.output import ERR, OUT


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
    from nas.errors import InputError
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
