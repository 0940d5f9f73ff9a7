"""A worker that joins a study made elsewhere: all it needs to know stands in the database."""

from collections.abc import Callable

from nas.catalog import load_space, space_names
from nas.data import DEFAULT_FOLDER, open_dataset
from nas.errors import InputError
from nas.searching.bench import Bench
from nas.searching.events import Listener, Note
from nas.searching.ground import find_ground
from nas.searching.loading import checked_data, expect_same_data
from nas.searching.references import alone
from nas.searching.search import pick_device
from nas.searching.working import work
from nas.study.study import Study


def join(
    study: Study,
    *,
    space: str | None = None,
    data: str | None = None,
    device: str | None = None,
    cache: str = str(DEFAULT_FOLDER),
    lease: float,
    trials: int | None = None,
    listener: Listener,
    checked: bool = False,
    orphaned: Callable[[], None] | None = None,
) -> None:
    """Work on a study until as many networks are trained as are wanted.

    Args:
        study: which one.
        space: its space, where that is a file; code is loaded from what the user names, never from the database.
        data: its data, where they lie elsewhere on this machine.
        device: where to train.
        cache: the folder for preprocessed data.
        lease: seconds without a sign of life after which another worker is taken for dead.
        trials: how many networks are wanted in all; by default what the study says.
        listener: hears what happens.
        checked: whether the data were compared with the study's a moment ago, by the process that started this one.
        orphaned: called when the process that started this one has ended.

    Raises:
        InputError: space or data are not the study's.
        KeyboardInterrupt: stopped; the trial in hand waits for another worker.
    """
    settings = study.settings
    found = load_space(space or _installed(settings.space))
    searched = found
    if settings.plan["reference"] is not None:
        searched = alone(found, settings.plan["reference"], settings.plan["rungs"])
    if searched.digest() != settings.space_digest:
        raise InputError(
            f"--space: {space or settings.space} is not the space of study {study.name!r} "
            f"(digest {searched.digest()[:12]}, "
            f"stored {settings.space_digest[:12]}); give the same file, or widen the study with nas search first"
        )
    wanted = trials or study.wanted()
    if not wanted:
        raise InputError(f"study {study.name!r} does not say how many networks are wanted; give --trials")
    dataset = open_dataset(data or settings.data_source)
    if not checked:
        expect_same_data(settings, checked_data(dataset, listener))
    where = pick_device(device)
    ground = find_ground(settings, found, dataset, cache, where, listener)
    listener(Note(f"study {study.name!r}: working for it on {where}"))
    work(Bench(study, ground, where, listener), wanted, lease=lease, orphaned=orphaned)


def _installed(name: str) -> str:
    if name not in space_names():
        raise InputError(f"the study's space {name!r} is a file of its maker; give the same file: --space ./mine.py")
    return name
