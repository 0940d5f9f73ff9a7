"""Data sets ready for training: cases preprocessed once into a cache on disk, and mapped from there by all."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data import cache, files
from nas.data.cache import NoSpaceError
from nas.data.dataset import Case, Dataset, Region
from nas.data.names import file_name
from nas.data.parallel import each
from nas.data.placement import Placement
from nas.data.preparing import prepare_volume
from nas.data.preprocessing import Preprocessing
from nas.data.splits import Split, split_groups
from nas.errors import InputError

DEFAULT_FOLDER = Path("runs/cache")
READ_AS = ("labels", "spacing")
"""What of a loader decides what it makes of the same files."""
SMALL = 32 * 2**20
"""Bytes of files for which other processes take longer to start than the work takes."""


@dataclass(frozen=True, eq=False)
class PreparedCase:
    """A case on the prepared grid. The arrays are opened when they are first asked for, read-only.

    size and spacing: of the prepared grid, along right, anterior, superior. group: stays together in a split.
    """

    name: str
    folder: Path
    size: tuple[int, ...]
    spacing: tuple[float, ...]
    placement: Placement
    group: str

    @cached_property
    def image(self) -> npt.NDArray[np.float32]:
        """Normalised intensities, (channels, *size)."""
        return cache.open_array(self.folder, "image")

    @cached_property
    def label(self) -> npt.NDArray[np.uint8]:
        """Class indices, 255 where the class is unknown, (*size)."""
        return cache.open_array(self.folder, "label")

    @cached_property
    def foreground(self) -> tuple[npt.NDArray[np.int32], ...]:
        """Some voxels of each foreground class that occurs, (count, axes), in the order of the classes."""
        rows = np.array(cache.open_array(self.folder, "foreground"))
        return tuple(rows[rows[:, 0] == index, 1:] for index in np.unique(rows[:, 0]))

    @property
    def original_spacing(self) -> tuple[float, ...]:
        """Of the image as it was stored, in mm, in the order of its axes."""
        return self.placement.spacing

    def restore(self, classes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Class indices on the prepared grid, (*size), on the original grid; background outside the crop."""
        if classes.shape != self.size:
            raise ValueError(f"classes of shape {classes.shape}; case {self.name} is prepared as {self.size}")
        return self.placement.restore(classes)

    def original_label(self) -> npt.NDArray[np.uint8]:
        """The label as it came: class indices on the original grid."""
        name = "label" if self.placement.unchanged else "original"
        return np.array(cache.open_array(self.folder, name))

    def __reduce__(self) -> tuple[Any, ...]:
        # What has been mapped stays behind, or all of it would travel to another process.
        return type(self), tuple(getattr(self, item.name) for item in fields(self))


@dataclass(frozen=True, eq=False)
class PreparedDataset:
    """All cases, sorted by name. digest is that of the data's content and of the settings.

    classes[0] is the background. spacing is the one that cases were resampled to, unless they had it nearly.
    """

    name: str
    folder: Path
    classes: tuple[str, ...]
    channels: tuple[str, ...]
    cases: tuple[PreparedCase, ...]
    spacing: tuple[float, ...]
    digest: str
    settings: Preprocessing
    regions: tuple[Region, ...] = ()
    splits: tuple[Split, ...] = field(default=(), repr=False)

    @property
    def axes(self) -> int:
        """2 or 3."""
        return len(self.cases[0].size)

    def split(self, fold: int = 0) -> Split:
        """The names that train and validate in a fold, as `Dataset.split` gives them."""
        return split_groups(self.groups, fold, self.splits)

    @property
    def groups(self) -> dict[str, str]:
        """The group of every case, by the case's name."""
        return {case.name: case.group for case in self.cases}

    def without(self, names: Collection[str]) -> "PreparedDataset":
        """The data set without some cases; folds are then made of the rest, those that came with the data shortened."""
        return replace(self, cases=tuple(case for case in self.cases if case.name not in set(names)))


def prepare_dataset(
    dataset: Dataset,
    settings: Preprocessing,
    folder: Path = DEFAULT_FOLDER,
    *,
    processes: int = 1,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> PreparedDataset:
    """The prepared data set, from the cache in `folder` if it is there, else built into it.

    Whether it is there is told by the content of the data's files and by the settings. An interrupted build goes on
    where it stopped, a damaged cache is mended, and of two processes that build at once one waits. Each process, or
    each thread of this one where there is one process, holds one case in memory. `progress` is told (cases done, cases
    in all).

    Raises:
        InputError: a case cannot be used, the folder cannot be written, or the disk is full.
    """
    digest = _digest(dataset, settings, max(processes, threads))
    home = Path(folder) / f"{file_name(_plain(dataset.name))}-{digest[:16]}"
    prepared = _open(home)
    if prepared is not None and prepared.digest == digest:
        return replace(prepared, splits=dataset.splits)
    with _alone(home):
        prepared = _open(home)  # built by the one that was waited for
        if prepared is None or prepared.digest != digest:
            _build(dataset, settings, home, digest, (processes, threads), progress)
            prepared = open_prepared(home)
    return replace(prepared, splits=dataset.splits)


def open_prepared(folder: Path) -> PreparedDataset:
    """What `prepare_dataset` built, by its folder alone, without the data it was built from.

    Raises:
        InputError: there is none, or it is not whole.
    """
    prepared = _open(Path(folder))
    if prepared is None:
        raise InputError(
            f"{folder}: no complete cache of version {cache.VERSION}; build it again with nas data prepare"
        )
    return prepared


def damaged_files(prepared: PreparedDataset) -> tuple[Path, ...]:
    """Files of a cache that are no longer what was written; every byte is read."""
    damaged: list[Path] = []
    for case in prepared.cases:
        document = cache.read_case(case.folder)
        damaged += [case.folder] if document is None else cache.damaged_files(case.folder, document)
    return tuple(damaged)


def _open(home: Path) -> PreparedDataset | None:
    """The data set in a folder, None where it is not whole or of another version."""
    index = cache.read_document(home / cache.INDEX)
    if index is None or index.get("version") != cache.VERSION:
        return None
    documents = {name: cache.read_case(home / file_name(name)) for name in index["cases"]}
    if any(document is None for document in documents.values()):
        return None
    settings = Preprocessing.from_json(index["settings"])
    return PreparedDataset(
        name=index["name"],
        folder=home,
        classes=tuple(index["classes"]),
        channels=tuple(index["channels"]),
        cases=tuple(
            PreparedCase(
                name=name,
                folder=home / file_name(name),
                size=tuple(document["size"]),
                spacing=tuple(document["spacing"]),
                placement=Placement.from_json(document["geometry"]),
                group=index["cases"][name],
            )
            for name, document in documents.items()
            if document is not None
        ),
        spacing=settings.spacing,
        digest=index["digest"],
        settings=settings,
        regions=tuple(Region(region["name"], tuple(region["classes"])) for region in index["regions"]),
    )


def _build(
    dataset: Dataset,
    settings: Preprocessing,
    home: Path,
    digest: str,
    at_once: tuple[int, int],
    progress: Callable[[int, int], None] | None,
) -> None:
    partial = home.with_name(f"{home.name}.partial")
    try:
        if home.exists():  # damaged: what is whole in it is kept
            shutil.rmtree(partial, ignore_errors=True)
            home.rename(partial)
        partial.mkdir(parents=True, exist_ok=True)
        whole = {case.name for case in dataset.cases if cache.read_case(partial / file_name(case.name)) is not None}
        cache.sweep(partial, map(file_name, whole))
        missing = [case for case in dataset.cases if case.name not in whole]
        sizes = []
        builder = _Building(dataset, settings, partial)
        processes, threads = at_once if _bytes(missing) > SMALL else (1, at_once[1])
        for size in each(builder, missing, processes, threads):
            sizes.append(size)
            if progress:
                progress(len(whole) + len(sizes), len(dataset.cases))
        cache.write_json(partial / cache.INDEX, _index(dataset, settings, digest))
        partial.rename(home)
    except NoSpaceError as error:
        raise _no_space(partial, error.needed, len(dataset.cases)) from error
    except OSError as error:
        if error.errno in cache.FULL:
            raise _no_space(partial, 0, len(dataset.cases)) from error
        raise InputError(
            f"{partial}: cannot be written ({error.strerror}); give another folder for the cache"
        ) from error


def _no_space(partial: Path, needed: int, cases: int) -> InputError:
    """The error of a full disk; what was built is deleted, so that the disk is not left full of a part."""
    built = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
    done = sum(1 for path in partial.iterdir() if (path / cache.CASE).is_file()) if partial.is_dir() else 0
    whole = (built / done if done else needed) * cases
    shutil.rmtree(partial, ignore_errors=True)
    return InputError(
        f"{partial.parent}: no space left; the cache of this data takes about {_amount(whole)} ({round(whole)} bytes). "
        "Make room, or give a folder on another disk"
    )


def _amount(size: float) -> str:
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB"


@dataclass(frozen=True)
class _Building:
    """Prepares one case after the other into a folder; the bytes of each."""

    dataset: Dataset
    settings: Preprocessing
    folder: Path

    def __call__(self, case: Case) -> int:
        volume = self.dataset.load(case)
        try:
            prepared = prepare_volume(volume, self.settings)
        except InputError as error:
            raise InputError(f"case {case.name}: {error}") from error
        return cache.write_case(self.folder / file_name(case.name), prepared, volume.label)


def _index(dataset: Dataset, settings: Preprocessing, digest: str) -> dict[str, Any]:
    return {
        "version": cache.VERSION,
        "digest": digest,
        "name": dataset.name,
        "classes": dataset.classes,
        "channels": dataset.channels,
        "regions": [asdict(region) for region in dataset.regions],
        "settings": settings.to_json(),
        "cases": {case.name: case.group or case.name for case in dataset.cases},
    }


def _digest(dataset: Dataset, settings: Preprocessing, at_once: int) -> str:
    """Of the files' bytes, of how they are read, and of the settings; not of where they lie."""
    with ThreadPoolExecutor(at_once) as threads:
        contents = list(threads.map(_content, dataset.cases))
    loader = dataset.loader
    read_as = (dataset.axes, dataset.channels, dataset.classes, *(getattr(loader, name, None) for name in READ_AS))
    cases = [
        (case.name, case.group, [(mask.value, mask.structure) for mask in case.masks], content)
        for case, content in zip(dataset.cases, contents, strict=True)
    ]
    everything = (cache.VERSION, dataset.origin, read_as, cases, settings)
    return hashlib.sha256(repr(everything).encode()).hexdigest()


def _content(case: Case) -> tuple[str, ...]:
    try:
        return tuple(cache.file_digest(path) for path in _files(case))
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read ({error.strerror}); put it there again") from error


def _files(case: Case) -> tuple[Path, ...]:
    return tuple(file for path in case.paths for file in files.parts(path))


def _bytes(cases: Sequence[Case]) -> int:
    return sum(path.stat().st_size for case in cases for path in _files(case))


def _plain(name: str) -> str:
    """A name in letters that need no quotes in a terminal."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or "data"


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Hold the lock of a cache's folder; it ends with the process, however that ends."""
    from filelock import FileLock

    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(home.with_name(f"{home.name}.lock")):
            yield
    except PermissionError as error:
        raise InputError(f"{home.parent}: cannot be written ({error.strerror}); give another folder") from error
    except (FileExistsError, NotADirectoryError) as error:
        raise InputError(f"{home.parent}: is a file or below one; give a folder for the cache") from error
    except OSError as error:
        if error.errno in cache.FULL:
            raise InputError(f"{home.parent}: no space left; make room, or give a folder on another disk") from error
        raise


def processes_for(dataset: Dataset) -> int:
    """Processes that pay for reading a data set: one for a small one."""
    return available_processes() if _bytes(dataset.cases) > SMALL else 1


def available_processes() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
