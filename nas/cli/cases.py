"""Cases as networks of a study segment them: what a report shows of the best, and a dashboard of each."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from nas.errors import InputError

if TYPE_CHECKING:
    from nas.report import Material
    from nas.report.images import Images, Segment
    from nas.study.history import Trial
    from nas.study.sql.study import SqlStudy

_FURTHER = 8
"""Networks whose cases are segmented, at seconds and some 50 kB of the page for each."""


def images_of(study: "SqlStudy", material: "Material") -> "Images":
    """Pictures of cases, or why there are none: a report of a study whose data are gone is a report all the same."""
    from nas.report.images import Images, chosen_cases

    settings, networks = study.settings, [trial for trial in (material.winner, material.rival) if trial is not None]
    source = settings.data_source
    if not chosen_cases(material):
        return Images(missing="There are no cases to show: none were measured one by one.")
    if not settings.synthetic and (source is None or not Path(source).is_dir()):
        return Images(missing=f"Pictures of cases are left out: the data are not at hand ({source or settings.data}).")
    try:
        return _segmented(study, material, networks)
    except InputError as error:
        return Images(missing=f"Pictures of cases are left out: {error}.")


def _segmented(study: "SqlStudy", material: "Material", networks: Iterable["Trial"]) -> "Images":
    from nas.study.protocol import WEIGHTS

    for trial in networks:
        study.file(trial.latest.id if trial.latest else 0, WEIGHTS)
    # From here on it takes torch, and seconds.
    from nas.data import open_dataset
    from nas.model.segmenting import Segmenter
    from nas.report.images import case_images
    from nas.searching.model import trained_model
    from nas.searching.opened import TrainedNetwork
    from nas.searching.setup.loading import options_of

    def segmenter(trial: "Trial") -> "Segment":
        model = Segmenter(trained_model(TrainedNetwork(study, trial)))
        return lambda image: model(image).classes

    side_by_side = {material.name(trial): segmenter(trial) for trial in networks}
    further = {trial.number: segmenter(trial) for trial in _further(study, material)}
    dataset = open_dataset(study.settings.data_source, options_of(study.settings))
    return case_images(material, dataset, side_by_side, further)


def _further(study: "SqlStudy", material: "Material") -> Iterator["Trial"]:
    """Other networks of the front, and the best ones, whose weights are at hand."""
    from nas.report.pareto import front_of
    from nas.study.protocol import WEIGHTS

    shown = {trial.number for trial in (material.winner, material.rival) if trial is not None}
    for trial in [*front_of(material), *material.complete]:
        if trial.number not in shown and len(shown) < _FURTHER and trial.latest is not None:
            with suppress(InputError):
                study.file(trial.latest.id, WEIGHTS)
                shown.add(trial.number)
                yield trial


def picture_of(study: "SqlStudy", trial: "Trial") -> bytes:
    """Best, median and worst case of one network as a PNG, or why there is none as one."""
    from nas.report.gathering import alone
    from nas.report.sheet import sheet

    picture = BytesIO()
    sheet(images_of(study, alone(study, trial))).save(picture, "PNG", optimize=True)
    return picture.getvalue()
