"""What a search is asked to do. Each field is an option of `nas search`, by the same name, and described here alone."""

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from nas.errors import InputError, did_you_mean, field_named
from nas.searching.schedule import Schedule, fit_schedule
from nas.study import DEFAULT_STORAGE
from nas.study.objective import read_objectives

ENGINES = ("local", "ray")
DIMENSIONS = ("auto", "2", "2.5", "3")
COMPARE = ("time", "steps")
LEASE_SECONDS = 60.0
CACHE = "runs/cache"
"""`nas.data.DEFAULT_FOLDER`, written out: importing it would load NumPy at the start of every command."""
LARGEST = 2**63 - 1
"""What a database can hold, and torch takes for a seed."""
MOST_TRIALS = 2**31 - 1
STRATEGIES = ("tree_parzen", "nsga2", "evolution", "local_search", "random", "quasi_random")
ONE_OBJECTIVE = ("local_search",)
"""Strategies that climb towards one network, not towards a front of them."""
DEFAULT_STRATEGY = "tree_parzen"
DEFAULT_BUDGET = "15m"
DEFAULT_TRIALS = 100
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def option(
    default: Any,
    help: str,
    *,
    shown: str | None = None,
    least: float = 0,
    most: float = LARGEST,
    above: bool = False,
    typed: str | None = None,
    environment: str | None = None,
) -> Any:
    """A field of the settings, with all that there is to say of it.

    Args:
        default: its value where the user gives none.
        help: one sentence.
        shown: the default in words, where the value does not say it.
        least: the smallest number, or what it must be `above`.
        most: the largest number.
        above: whether `least` itself is too small.
        typed: how it is typed on the command line where that is not a plain value: sizes, count or bytes.
        environment: the environment variable that it is read from.
    """
    metadata = {
        "help": help,
        "shown": shown,
        "least": least,
        "most": most,
        "above": above,
        "typed": typed,
        "environment": environment,
    }
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """One search.

    Raises:
        InputError: a value that cannot be used.
    """

    space: str = option("unet_family", "A shipped space, a plugin's, or a file such as ./mine.py.")
    data: str | None = option(None, "A folder of labelled images.", shown="synthetic brain")
    groups: str | None = option(
        None,
        "Cases that belong together, as of one patient: a CSV file of case and group, or a pattern such as "
        "'{group}_frame*'.",
        shown="as the data say",
    )
    labels: str | None = option(
        None, "Label values that are joined or renamed, as '1,255=lesion;2=organ'.", shown="as the data say"
    )
    splits: str | None = option(
        None, "A file of folds, as nnU-Net's splits_final.json.", shown="as the data say, or nnU-Net's five"
    )
    layout: str | None = option(None, "Where the files lie: a shipped layout or a TOML file.", shown="recognised")
    recipe: str | None = option(
        None,
        "How networks are trained: a shipped recipe or a TOML file. It may also set space, reference, patch, trials "
        "and budget, where they are not given.",
        shown="fitted",
    )
    reference: str | None = option(
        None, "Train this published network of the space alone, and search the recipe's open choices.", shown="all"
    )
    slim: int | None = option(None, "Steps narrower than published that the reference is.", shown="from the budget")
    trials: int | None = option(
        None,
        "Most different networks to train in all, those of earlier runs included.",
        shown="as many as there is time for, or 100 of so many steps",
        least=1,
        most=MOST_TRIALS,
    )
    study: str | None = option(None, "Name of the study.", shown="from space or recipe, and data")
    storage: str = option(
        DEFAULT_STORAGE, "SQLite file or SQLAlchemy URL of the study database.", environment="NAS_STORAGE"
    )
    budget: str | None = option(
        None,
        "Time for the whole search: 90s, 15m, 4h, 2d. Most networks train briefly, the best as long as it allows; "
        "a study that is given more goes on.",
        shown="15m",
    )
    objective: str = option(
        "dice",
        "What networks are best by: dice, iou, surface_dice or hausdorff95, and what it may cost: latency, "
        "onnx_latency, parameters, macs, training_bytes, seconds; as dice,latency.",
    )
    strategy: str | None = option(
        None,
        "What proposes networks after the published ones: tree_parzen, nsga2, evolution, local_search, random, "
        "quasi_random.",
        shown=DEFAULT_STRATEGY,
    )
    compare: str = option(
        "time",
        "What networks have alike: time of training, or steps, as many as a large one makes in that time.",
    )
    learn_from: str | None = option(
        None,
        "Earlier studies in the same database, of other data over the same space, as one,two: their best networks come "
        "after the published ones.",
        shown="none",
    )
    inherit: bool = option(
        False, "Let changed networks begin with the weights that they share with what they were changed from."
    )
    fold: int = option(0, "Which of the five folds validates, 0 to 4.")
    holdout: float | None = option(
        None,
        "Share of the cases, by whole groups, that is put aside for nas confirm and never opened by the search; 0: "
        "none.",
        shown="a fifth of 50 cases or more",
        most=0.5,
    )
    seed: int = option(0, "Of proposals, weights and patches.")
    device: str | None = option(None, "cpu, cuda, cuda:1.", shown="a GPU if there is one")
    dimensions: str = option(
        "auto",
        "Of networks for volumes: 2 on slices, 2.5 with their neighbours as channels, or 3; auto from the spacing.",
    )
    patch: tuple[int, ...] | None = option(
        None, "Training patch, as 64,64.", shown="from the data", least=1, typed="sizes"
    )
    steps: int | None = option(None, "Steps of each training.", shown="from the budget", least=1, most=MOST_TRIALS)
    batch: int | None = option(None, "Patches a step.", shown="from patch, data, memory", least=1, most=MOST_TRIALS)
    learning_rate: float | None = option(None, "Peak learning rate.", above=True, most=10)
    pretrained: str | None = option(
        None,
        "Weights that encoders begin with where they fit: a file; a folder, of which each network takes the file that "
        "fits; or a library's, as torchvision:resnet50.",
        shown="none",
    )
    max_parameters: int | None = option(None, "Largest number of parameters, as 5M.", least=1, typed="count")
    max_macs: int | None = option(None, "Most multiply-accumulates a patch, as 10G.", least=1, typed="count")
    max_memory: int | None = option(
        None, "Most bytes that training is predicted to need, as 4G.", shown="what is free", least=1, typed="bytes"
    )
    max_latency: float | None = option(
        None, "Most seconds for one patch on the device, as 20ms; measured.", above=True, typed="seconds"
    )
    workers: int | None = option(
        None,
        "How many processes train at once; 1 trains in this one.",
        shown="1; 2 in a search by time on a CPU",
        least=1,
        most=10_000,
    )
    devices: str | None = option(None, "Where workers train, in turn: cuda:0,cuda:1.", shown="all on the device")
    engine: str = option("local", "local, or ray for a cluster (pip install 'nas[ray]').")
    ray_address: str | None = option(None, "Of the Ray cluster.", shown="a running or local one")
    gpus_per_worker: float | None = option(
        None, "Part of a GPU for each worker on Ray, as 0.5.", shown="1 with device cuda", above=True, most=1024
    )
    artifacts: str | None = option(
        None,
        "Folder or URL of weights and checkpoints, which the database remembers.",
        shown="beside it",
        environment="NAS_ARTIFACTS",
    )
    cache: str = option(CACHE, "Folder for preprocessed data.")
    lease: float = option(
        LEASE_SECONDS, "Seconds without a sign of life until a worker's trial is taken over.", above=True, most=10**6
    )
    tensorboard: str | None = option(
        None, "Folder for TensorBoard's files of each run (pip install 'nas[tensorboard]').", shown="none"
    )
    mlflow: str | None = option(
        None,
        "MLflow's tracking server, or sqlite:///mlflow.db, for each run (pip install 'nas[mlflow]').",
        shown="none",
    )
    full_size: bool = option(False, "Train published networks at their full width, whatever the budget.")

    def __post_init__(self) -> None:
        for item in fields(self):
            _check(item, getattr(self, item.name))
        parse_duration(self.time)
        objectives = read_objectives(self.objective)
        if self.engine not in ENGINES:
            raise InputError(f"{field_named('engine')}: found {self.engine!r}, expected {' or '.join(ENGINES)}")
        if self.strategy not in (None, *STRATEGIES):
            raise InputError(
                f"{field_named('strategy')}: found {self.strategy!r}; {did_you_mean(str(self.strategy), STRATEGIES)}"
            )
        if self.compare not in COMPARE:
            raise InputError(f"{field_named('compare')}: found {self.compare!r}, expected {' or '.join(COMPARE)}")
        if self.strategy is not None:
            expect_serves(self.strategy, len(objectives))
        if self.slim is not None and self.reference is None:
            raise InputError(
                f"{field_named('slim')}: found {self.slim} without a network that it could hold for; name it by "
                f"{field_named('reference')}, or leave it out: networks are as narrow as the budget asks for"
            )
        if self.dimensions not in DIMENSIONS:
            raise InputError(
                f"{field_named('dimensions')}: found {self.dimensions!r}, expected {' or '.join(DIMENSIONS)}"
            )

    @property
    def slots(self) -> tuple[str | None, ...]:
        """The device of each worker; None is a GPU if there is one, else the CPU."""
        devices = [self.device] if self.devices is None else [name.strip() for name in self.devices.split(",")]
        return tuple(devices[slot % len(devices)] for slot in range(self.at_once))

    @property
    def at_once(self) -> int:
        """How many processes train at once: as many as are wished, one where nothing is."""
        return self.workers or 1

    @property
    def time(self) -> str:
        """The budget as it was given, or what it is by default."""
        return self.budget or DEFAULT_BUDGET

    @property
    def seconds(self) -> float:
        """The budget in seconds."""
        return parse_duration(self.time)

    def schedule(self, seconds: float) -> Schedule:
        """How so many seconds are divided among networks."""
        return fit_schedule(seconds, workers=self.at_once, trials=self.trials, afresh=self.inherit)

    @property
    def wanted(self) -> int:
        """Most networks that are trained in all."""
        return self.trials or DEFAULT_TRIALS

    @cached_property
    def wishes(self) -> Mapping[str, Any]:
        """The fields of the training recipe that the user chose, in a recipe file or, before that, by an option."""
        from nas.searching.pretrained import named

        wishes = self._as_written
        if "pretrained" in wishes:
            wishes = {**wishes, "pretrained": named(wishes["pretrained"], self.weights)}
        return wishes

    @cached_property
    def weights(self) -> Mapping[str, str]:
        """Where the weights lie that the recipe names, by their names in it."""
        from nas.searching.pretrained import places_of

        return places_of(self._as_written.get("pretrained"))

    @cached_property
    def _as_written(self) -> Mapping[str, Any]:
        """The wishes, weights by their paths."""
        from nas.searching.pretrained import located
        from nas.training.recipes import load_recipe  # and torch with it, which --help does not need

        file = load_recipe(self.recipe) if self.recipe else None
        chosen = {name: getattr(file.recipe, name) for name in file.given} if file else {}
        options = {name: getattr(self, name) for name in ("steps", "batch", "learning_rate", "pretrained")}
        chosen |= {name: value for name, value in options.items() if value is not None}
        weights = located(chosen.get("pretrained"), Path(self.cache) / "weights")
        return chosen | ({} if weights is None else {"pretrained": weights})

    @staticmethod
    def of(**values: Any) -> "SearchSettings":
        """Settings of the fields given, the rest as their recipe says, and what it leaves open by default.

        Raises:
            InputError: a field that does not exist, or a value that cannot be used.
        """
        known = {item.name for item in fields(SearchSettings)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(f"{unknown[0]}: there is no such field; {did_you_mean(unknown[0], known)}")
        from nas.training.recipes import load_recipe

        recipe = load_recipe(values["recipe"]) if values.get("recipe") else None
        names = ("space", "reference", "slim", "patch", "budget", "trials")
        of_recipe = {name: getattr(recipe, name) for name in names if getattr(recipe, name, None)}
        return SearchSettings(**{**of_recipe, **values})


def expect_serves(strategy: str, objectives: int) -> None:
    """Refuse a strategy that cannot serve so many objectives.

    Raises:
        InputError: it serves one alone.
    """
    if objectives > 1 and strategy in ONE_OBJECTIVE:
        others = ", ".join(name for name in STRATEGIES if name not in ONE_OBJECTIVE)
        raise InputError(
            f"{field_named('strategy')}: {strategy} serves one objective, and {field_named('objective')} names "
            f"{objectives}; give one of {others}, or one objective"
        )


def _document_fields() -> None:
    """Let `help(SearchSettings)` say what `nas search --help` says."""
    lines = [f"        {item.name}: {item.metadata['help']}" for item in fields(SearchSettings)]
    first, rest = (SearchSettings.__doc__ or "").split("\n", 1)
    SearchSettings.__doc__ = "\n".join([first, "", "    Args:", *lines, rest])


_document_fields()
TYPES = typing.get_type_hints(SearchSettings)
"""What each field holds."""


def kinds(name: str) -> tuple[Any, ...]:
    """The types that a field may have, None aside."""
    annotation = TYPES[name]
    members = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    return tuple(member for member in members if member is not types.NoneType)


def parse_duration(text: str, field: str = "budget") -> float:
    """Seconds in "90s", "15m", "4h" or "2d".

    Args:
        text: the time.
        field: what it was given as, for messages.

    Raises:
        InputError: anything else.
    """
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([smhd])", text.strip())
    if not match or float(match[1]) == 0:
        raise InputError(f"{field_named(field)}: found {text!r}, expected a time such as 90s, 15m, 4h or 2d")
    return float(match[1]) * _UNITS[match[2]]


_WORDS = {int: "a whole number", float: "a number", str: "text", bool: "True or False"}


def _check(item: "dataclasses.Field[Any]", value: Any) -> None:
    """Refuse a value of the wrong type or size."""
    if value is None and item.default is None:
        return
    kind = kinds(item.name)[0]
    numbers = value if typing.get_origin(kind) is tuple and isinstance(value, tuple | list) else (value,)
    inner = typing.get_args(kind)[0] if typing.get_origin(kind) is tuple else kind
    for number in numbers:
        if not _is_of(number, inner) or (inner in (int, float) and not _is_within(item, number)):
            raise InputError(f"{field_named(item.name)}: found {value!r}, expected {_expected(item, inner)}")


def _is_of(value: Any, kind: Any) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _is_within(item: "dataclasses.Field[Any]", value: float) -> bool:
    least, most = item.metadata["least"], item.metadata["most"]
    return bool((value > least if item.metadata["above"] else value >= least) and value <= most)


def _expected(item: "dataclasses.Field[Any]", kind: Any) -> str:
    if kind not in (int, float):
        return _WORDS[kind]
    least, most = item.metadata["least"], item.metadata["most"]
    lower = f"above {least}" if item.metadata["above"] else f"from {least}"
    return f"{_WORDS[kind]} {lower} up to {most}"
