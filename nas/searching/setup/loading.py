"""The cases of a fold, prepared once on disk and put where training finds them fastest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import torch

from nas.data import (
    IGNORED,
    DataOptions,
    Dataset,
    Fingerprint,
    Holdout,
    PreparedCase,
    PreparedDataset,
    Preprocessing,
    available_processes,
    changed_cases,
    check,
    prepare_dataset,
    slices,
)
from nas.data.fingerprint import RegionSummary
from nas.errors import InputError, field_named
from nas.searching.events import Listener, Working
from nas.study.settings import StudySettings
from nas.training import EACH_CLASS, FEWEST_SLICES, Sample, Slicing, Targets, samples_of

OPTIONS = "data_options"
"""Under which name a study's plan keeps what was said of its data."""
HOLDOUT = "holdout"
"""Under which name it keeps which cases are put aside."""
_SHARE_OF_MEMORY = {"cpu": 0.5, "cuda": 0.3}
"""Of the memory that is free, what cases may take; further ones are read from disk patch by patch."""
_MOST_OF_MEMORY = 0.7
_CHANGES_SHOWN = 5


@dataclass(frozen=True)
class Fold:
    """The cases that train, those that validate, and what overlap is asked of in both."""

    training: Sequence[Sample]
    validation: Sequence[Sample]
    targets: Targets = EACH_CLASS


def typical(samples: Sequence[Sample], number: int) -> Sequence[Sample]:
    """So many of the samples, from those with the least foreground to those with the most, evenly; the same each time.

    Args:
        samples: all of them.
        number: how many at most.
    """
    if number >= len(samples):
        return samples
    shares = [float(((sample.label > 0) & (sample.label < IGNORED)).float().mean()) for sample in samples]
    order = sorted(range(len(samples)), key=lambda index: (shares[index], samples[index].name))
    chosen = {order[int((place + 0.5) * len(samples) / number)] for place in range(number)}
    return [sample for index, sample in enumerate(samples) if index in chosen]


def checked_data(dataset: Dataset, listener: Listener) -> Fingerprint:
    """What the data look like; InputError where they cannot be used."""
    return check(
        dataset,
        lambda done, total: listener(Working("checking the data", done, total)),
        threads=available_processes(),
    )


def options_of(stored: StudySettings) -> DataOptions:
    """What was said of a study's data beyond their files when it was begun."""
    document = stored.plan.get(OPTIONS)
    return DataOptions() if document is None else DataOptions.from_json(document)


def expect_same_data(stored: StudySettings, fingerprint: Fingerprint) -> None:
    """Refuse data that are not those a study was made with, saying what changed: results would not compare."""
    folds = (stored.data_fingerprint.get("folds") or {}).get("digest")
    same = fingerprint.digest == stored.data_digest
    if same and folds is not None and fingerprint.folds is not None and folds != fingerprint.folds.digest:
        raise InputError(
            f"{field_named('data')}: {fingerprint.name} is parted into other folds than study {stored.name!r} was made "
            f"with; give the {field_named('groups')} of then, or another name as {field_named('study')}"
        )
    if same:
        return
    changes = [*_changed_names(stored.data_fingerprint, fingerprint)]
    changes += [*changed_cases(stored.data_fingerprint, fingerprint)]
    if len(changes) > _CHANGES_SHOWN:
        changes[_CHANGES_SHOWN:] = [f"and {len(changes) - _CHANGES_SHOWN} more"]
    told = "; ".join(changes) or f"digest {fingerprint.digest[:12]}, stored {stored.data_digest[:12]}"
    raise InputError(
        f"{field_named('data')}: {fingerprint.name} is not what study {stored.name!r} was made with ({told}); "
        f"give a copy of the same data, or begin a new study with another name as {field_named('study')}"
    )


def held_out(stored: StudySettings) -> Holdout:
    """The cases that a study put aside when it was begun."""
    return Holdout.from_json(stored.plan.get(HOLDOUT))


def expect_same_holdout(stored: StudySettings, share: float | None) -> None:
    """Refuse another share of held-out cases than a study was begun with: what was seen cannot be unseen."""
    kept = held_out(stored).share
    if share is not None and share != kept:
        raise InputError(
            f"{field_named('holdout')}: found {share:g}, but study {stored.name!r} was begun with {kept:g}; leave it "
            f"out, or give another name as {field_named('study')}"
        )


def _changed_names(before: Mapping[str, Any], now: Fingerprint) -> Iterator[str]:
    for what, items in (("classes", now.classes), ("channels", now.channels)):
        names, known = [item.name for item in items], [item["name"] for item in before[what]]
        if names != known:
            yield f"{what} were {', '.join(known)} and are {', '.join(names)}"
    regions = [region.in_words for region in now.regions]
    known = [RegionSummary(**region).in_words for region in before.get("regions", ())]
    if regions != known:
        yield f"regions were {', '.join(known) or 'none'} and are {', '.join(regions) or 'none'}"


def prepared(dataset: Dataset, preprocessing: Preprocessing, cache: str, listener: Listener) -> PreparedDataset:
    """The data set as preprocessed, from the cache if it is there."""
    return prepare_dataset(
        dataset,
        preprocessing,
        Path(cache),
        threads=available_processes(),
        progress=lambda done, total: listener(Working("preparing the data", done, total)),
    )


def sliced(data: PreparedDataset, neighbours: int | None) -> tuple[PreparedDataset, Slicing | None]:
    """What trains, data or slices of volumes across their thickest axis or the few there are, and how these are cut."""
    if neighbours is None:
        return data, None
    axis = max(range(3), key=lambda axis: (data.spacing[axis], axis))
    size = [median(along) for along in zip(*(case.size for case in data.cases), strict=True)]
    if min(size) < FEWEST_SLICES:
        axis = size.index(min(size))
    return slices(data, axis, neighbours), Slicing(axis, neighbours)


def load_fold(
    data: PreparedDataset, seen: PreparedDataset, slicing: Slicing | None, fold: int, device: torch.device
) -> Fold:
    """Training and validation cases of a fold, on the device as far as they fit.

    Args:
        data: whose cases validate, whole.
        seen: what trains, and `slicing`: how volumes are cut to it, as `sliced` gives both.
        slicing: None where cases train as they are.
        fold: which part validates.
        device: where.
    """
    parts, names = data.split(fold), seen.split(fold).training
    if not parts.training or not parts.validation:
        raise InputError(
            f"{field_named('fold')}: fold {fold} of {data.name} has {len(parts.training)} cases to train on and "
            f"{len(parts.validation)} to validate on; choose another, or put nothing aside with "
            f"{field_named('holdout')} 0"
        )
    return in_place(seen, names, data, parts.validation, slicing, device)


def in_place(
    seen: PreparedDataset,
    training: Sequence[str],
    data: PreparedDataset,
    validation: Sequence[str],
    slicing: Slicing | None,
    device: torch.device,
) -> Fold:
    """Cases by name, of `seen` to train on and of `data` to validate on, on the device as far as they fit."""
    trained = samples_of(_named(seen, training), device, _room(device))
    validated = samples_of(_named(data, validation), device, _room(device))
    targets = Targets(tuple(region.classes for region in data.regions))
    return Fold(trained, tuple(replace(sample, slicing=slicing) for sample in validated), targets)


def _named(data: PreparedDataset, names: Sequence[str]) -> list[PreparedCase]:
    cases = {case.name: case for case in data.cases}
    return [cases[name] for name in names]


def free_memory(device: torch.device) -> int:
    """Bytes of memory that nothing uses, on the device or, for the CPU, in the machine."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)


def usable_memory(device: torch.device) -> int:
    """Bytes that training may use: most of what is free."""
    return round(free_memory(device) * _MOST_OF_MEMORY)


def _room(device: torch.device) -> int:
    return round(free_memory(device) * _SHARE_OF_MEMORY[device.type])
