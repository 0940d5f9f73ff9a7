"""What a search is asked to do. Each field is an option of `nas search`, by the same name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from nas.data import DEFAULT_FOLDER
from nas.errors import InputError
from nas.study import DEFAULT_STORAGE
from nas.training.recipes import load_recipe

ENGINES = ("local", "ray")
LEASE_SECONDS = 60.0
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """One search.

    Args:
        space: a shipped space, a plugin's, or a Python file that defines `SPACE`.
        data: a folder of labelled images; None for the built-in synthetic brain.
        recipe: how networks are trained: the name of a shipped recipe, or a TOML file. It may also set the space, the
            reference, the patch, the number of trials and the budget, where they are not given.
        reference: a published network of the space that is trained alone, to search the recipe for it.
        slim: how many steps narrower the reference is made; by default as many as the budget asks for.
        trials: how many different networks to train in all, those of earlier runs of the study included.
        study: its name; by default made of the space's and the data's.
        storage: an SQLite file or an SQLAlchemy URL.
        budget: wall-clock time for all trials, as "90s", "15m", "4h" or "2d"; sets the length of training and the
            largest network, and is fixed when the study begins.
        fold: which of the five folds validates, 0 to 4.
        seed: of proposals, weights and patches.
        device: "cpu", "cuda", "cuda:1" ...; by default a GPU if there is one.
        slices: train networks of two axes on the slices of volumes, with so many neighbours on each side as channels.
        patch: voxels per axis of a training patch; planned from the data by default.
        steps: optimiser steps of each training; by default as many as the budget allows.
        batch: patches a step.
        learning_rate: the peak learning rate.
        max_parameters: networks with more trainable parameters are not trained.
        max_macs: nor those with more multiply-accumulates for one patch.
        max_memory: nor those whose training is predicted to need more bytes; by default what the device has free.
        workers: how many processes train at once; 1 trains in this one.
        devices: where they train, in turn: "cuda:0,cuda:1"; by default all on `device`.
        engine: "local" starts them on this machine, "ray" on a Ray cluster.
        artifacts: the folder or URL of weights and checkpoints; by default what the database remembers, or beside it.
        ray_address: of the cluster; by default one that is running, else a local one.
        cache: the folder for preprocessed data.
        gpus_per_worker: the part of a GPU that Ray gives each worker, 0.5 for two on one; by default 1 with
            `device="cuda"`, else none.
        lease: seconds without a sign of life after which a worker's trial is taken up by another.
        full_size: keep published networks as they are, whatever the budget, instead of slimming them to fit.

    Raises:
        InputError: a value that cannot be used.
    """

    space: str = "unet_family"
    data: str | None = None
    recipe: str | None = None
    reference: str | None = None
    slim: int | None = None
    trials: int = 100
    study: str | None = None
    storage: str = DEFAULT_STORAGE
    budget: str = "15m"
    fold: int = 0
    seed: int = 0
    device: str | None = None
    slices: int | None = None
    patch: tuple[int, ...] | None = None
    steps: int | None = None
    batch: int | None = None
    learning_rate: float | None = None
    max_parameters: int | None = None
    max_macs: int | None = None
    max_memory: int | None = None
    workers: int = 1
    devices: str | None = None
    engine: str = "local"
    artifacts: str | None = None
    ray_address: str | None = None
    cache: str = str(DEFAULT_FOLDER)
    gpus_per_worker: float | None = None
    lease: float = LEASE_SECONDS
    full_size: bool = False

    def __post_init__(self) -> None:
        parse_duration(self.budget)
        if self.engine not in ENGINES:
            raise InputError(f"--engine: found {self.engine!r}, expected {' or '.join(ENGINES)}")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("fold", "seed", "slim", "slices"):
                if value is not None and value < 0:
                    raise InputError(f"--{field.name}: found {value}, expected 0 or more")
            elif isinstance(value, int | float) and not isinstance(value, bool) and value <= 0:
                raise InputError(f"--{field.name.replace('_', '-')}: found {value}, expected a number above 0")

    @property
    def slots(self) -> tuple[str | None, ...]:
        """The device of each worker; None is a GPU if there is one, else the CPU."""
        devices = [self.device] if self.devices is None else [each.strip() for each in self.devices.split(",")]
        return tuple(devices[slot % len(devices)] for slot in range(self.workers))

    @property
    def seconds(self) -> float:
        """The budget in seconds."""
        return parse_duration(self.budget)

    @cached_property
    def wishes(self) -> Mapping[str, Any]:
        """The fields of the training recipe that the user chose, in a recipe file or, before that, by an option."""
        file = load_recipe(self.recipe) if self.recipe else None
        chosen = {name: getattr(file.recipe, name) for name in file.given} if file else {}
        options = {name: getattr(self, name) for name in ("steps", "batch", "learning_rate")}
        return chosen | {name: value for name, value in options.items() if value is not None}

    @staticmethod
    def of(**given: Any) -> "SearchSettings":
        """Settings of the fields given, the rest as their recipe says, and what it leaves open by default."""
        recipe = load_recipe(given["recipe"]) if given.get("recipe") else None
        names = ("space", "reference", "slim", "patch", "budget", "trials")
        found = {name: getattr(recipe, name) for name in names if getattr(recipe, name, None)}
        return SearchSettings(**{**found, **given})


def parse_duration(text: str) -> float:
    """Seconds in "90s", "15m", "4h" or "2d".

    Raises:
        InputError: anything else.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip())
    if not found or float(found[1]) == 0:
        raise InputError(f"--budget: found {text!r}, expected a time such as 90s, 15m, 4h or 2d")
    return float(found[1]) * _UNITS[found[2]]
