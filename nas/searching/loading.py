"""The cases of a fold, prepared once on disk and put where training finds them fastest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from nas.data import Dataset, PreparedDataset, Preprocessing, available_processes, prepare_dataset
from nas.searching.events import Listener, Working
from nas.training import Sample, samples_of

_SHARE_OF_MEMORY = {"cpu": 0.5, "cuda": 0.3}
"""Of the memory that is free, what cases may take; further ones are read from disk patch by patch."""


@dataclass(frozen=True)
class Fold:
    """The cases that train, and those that validate."""

    training: Sequence[Sample]
    validation: Sequence[Sample]


def prepared(dataset: Dataset, preprocessing: Preprocessing, cache: str, listener: Listener) -> PreparedDataset:
    """The data set as preprocessed, from the cache if it is there."""
    return prepare_dataset(
        dataset,
        preprocessing,
        Path(cache),
        processes=available_processes(),
        progress=lambda done, total: listener(Working("preparing the data", done, total)),
    )


def load_fold(data: PreparedDataset, fold: int, device: torch.device) -> Fold:
    """Training and validation cases of a fold, on the device as far as they fit."""
    parts = data.split(fold)
    cases = {case.name: case for case in data.cases}
    training = samples_of([cases[name] for name in parts.training], device, _room(device))
    # Validation looks at each case once for each network: on the CPU it costs little to leave it where it is.
    return Fold(training, samples_of([cases[name] for name in parts.validation], device, _room(device)))


def free_memory(device: torch.device) -> int:
    """Bytes of memory that nothing uses, on the device or, for the CPU, in the machine."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    import psutil

    return int(psutil.virtual_memory().available)


def _room(device: torch.device) -> int:
    return round(free_memory(device) * _SHARE_OF_MEMORY[device.type])
