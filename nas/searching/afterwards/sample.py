"""Cases on which the exports of a study's network are measured: those that its run was scored on."""

from pathlib import Path

from nas.data import open_dataset
from nas.errors import InputError
from nas.export.sample import Sample, sample_of
from nas.searching.opened import TrainedNetwork
from nas.searching.setup.loading import options_of
from nas.study.history import Split


def sample_of_study(network: TrainedNetwork, data: str | None = None) -> Sample | None:
    """The cases of a network's fold where the data are there; None where the study's own are not.

    Cases that were put aside stay unopened: what fewer bits cost is told by any others.

    Raises:
        InputError: the data that are named here cannot be used.
    """
    settings = network.study.settings
    source = data or settings.data_source
    if data is None and source is not None and not Path(source).is_dir():
        return None
    dataset = open_dataset(source, options_of(settings))
    if network.run.key.split not in (Split.SEARCH, Split.CONFIRM):
        return sample_of(dataset, "cases that it was trained on", barred=settings.held_out)
    points = network.study.measurements(network.run.id, "dice")
    scored = sorted({point.case for point in points if point.case is not None})
    if not scored:
        raise InputError(f"study {settings.name!r}: the network was scored on no case")
    return sample_of(
        dataset, f"validation cases of fold {network.run.key.fold}", measured=scored, barred=settings.held_out
    )
