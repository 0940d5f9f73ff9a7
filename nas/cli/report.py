"""`nas report`: what a study found, as one page."""

from pathlib import Path
from typing import Annotated

import typer

from nas.cli.options import ArtifactsOption, StorageOption, StudyName
from nas.cli.output import OUT
from nas.cli.studies import chosen, open_existing
from nas.study import DEFAULT_STORAGE


def report(
    study: StudyName = None,
    to: Annotated[Path, typer.Option(help="The page to write, a file that ends in .html.")] = Path("report.html"),
    csv: Annotated[
        Path | None, typer.Option(help="Folder for what each figure shows, as CSV.", show_default="none")
    ] = None,
    images: Annotated[
        bool, typer.Option(help="Segment and show the best, median and worst case, where data and weights are at hand.")
    ] = True,
    random: Annotated[
        str | None,
        typer.Option(help="A study of random search on the same data, whose line is put beside.", show_default="none"),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    artifacts: ArtifactsOption = None,
) -> None:
    """Write what a study found as one page that needs no network: it can be mailed, printed, and read offline.

    On top in sentences what was searched, what won, by how much, at what cost; below figures, drawings and cases.
    It may be written while a search goes on.

    [bold]Example[/bold]

      nas report unet_family-brain-synthetic --to report.html --csv figures

      nas report by-halving --random by-random
    """
    from nas.cli.cases import images_of
    from nas.cli.results import storage_to_type
    from nas.report import gather
    from nas.report.writing import expect_page, write_page, write_tables

    expect_page(to)
    with open_existing(storage, artifacts) as opened:
        stored = chosen(opened, study)
        other = None if random is None else chosen(opened, random)
        material = gather(stored, random=other, storage=storage_to_type(stored.storage), wanted=stored.wanted())
        write_page(material, to, images_of(stored, material) if images else None)
    OUT.print(f"{to}", soft_wrap=True, markup=False)
    if csv is not None:
        for path in write_tables(material, csv):
            OUT.print(f"{path}", soft_wrap=True, markup=False)
