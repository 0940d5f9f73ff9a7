"""`nas report`: what a study found, as one page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import ArtifactsOption, StorageOption, StudyName
from nas.cli.output import OUT
from nas.cli.studies import chosen, open_existing
from nas.errors import InputError
from nas.study import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.report import Material
    from nas.report.images import Images
    from nas.study.sql.study import SqlStudy


def report(
    study: StudyName = None,
    to: Annotated[Path, typer.Option(help="The page to write, a file that ends in .html.")] = Path("report.html"),
    csv: Annotated[
        Path | None, typer.Option(help="Folder for what each figure shows, as CSV.", show_default="none")
    ] = None,
    images: Annotated[
        bool, typer.Option(help="Segment and show the best, median and worst case, where data and weights are at hand.")
    ] = True,
    storage: StorageOption = DEFAULT_STORAGE,
    artifacts: ArtifactsOption = None,
) -> None:
    """Write what a study found as one page that needs no network: it can be mailed, printed, and read offline.

    On top in sentences what was searched, what won, by how much, at what cost; below figures, drawings and cases.
    It may be written while a search goes on.

    [bold]Example[/bold]

      nas report unet_family-brain-synthetic --to report.html --csv figures
    """
    from nas.cli.results import storage_to_type
    from nas.report import gather
    from nas.report.writing import expect_page, write_page, write_tables

    expect_page(to)
    with open_existing(storage, artifacts) as opened:
        stored = chosen(opened, study)
        material = gather(stored, storage=storage_to_type(stored.storage), wanted=stored.wanted())
        write_page(material, to, _images(stored, material) if images else None)
    OUT.print(f"{to}", soft_wrap=True, markup=False)
    if csv is not None:
        for path in write_tables(material, csv):
            OUT.print(f"{path}", soft_wrap=True, markup=False)


def _images(study: "SqlStudy", material: "Material") -> "Images":
    """Pictures of cases, or why there are none: a report of a study whose data are gone is a report all the same."""
    from nas.report.images import Images, case_images, chosen_cases
    from nas.study.protocol import WEIGHTS

    settings, networks = study.settings, [trial for trial in (material.winner, material.rival) if trial is not None]
    source = settings.data_source
    if not chosen_cases(material):
        return Images(missing="There are no cases to show: none were measured one by one.")
    if not settings.synthetic and (source is None or not Path(source).is_dir()):
        return Images(missing=f"Pictures of cases are left out: the data are not at hand ({source or settings.data}).")
    try:
        for trial in networks:
            study.file(trial.latest.id if trial.latest else 0, WEIGHTS)
        # From here on it takes torch, and seconds.
        from nas.data import open_dataset
        from nas.model.segmenting import Segmenter
        from nas.searching.model import trained_model
        from nas.searching.opened import TrainedNetwork
        from nas.searching.setup.loading import options_of

        segmenters = {}
        for trial in networks:
            segmenter = Segmenter(trained_model(TrainedNetwork(study, trial)))
            segmenters[material.name(trial)] = lambda image, segmenter=segmenter: segmenter(image).classes
        return case_images(material, open_dataset(source, options_of(settings)), segmenters)
    except InputError as error:
        return Images(missing=f"Pictures of cases are left out: {error}.")
