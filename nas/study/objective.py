"""What a search is after, as data: metrics with directions and limits, and how trials rank by them."""

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from operator import le
from typing import Any, Literal

from nas.errors import InputError, did_you_mean, field_named
from nas.study.history import History, Split, State, Trial

Direction = Literal["maximize", "minimize"]
_Losses = tuple[float, ...]
COSTS = ("parameters", "macs", "training_bytes", "seconds")
"""What is known of a trial beside what its runs measure."""
MEASURED: Mapping[str, Direction] = {
    "dice": "maximize",
    "iou": "maximize",
    "surface_dice": "maximize",
    "hausdorff95": "minimize",
    "latency": "minimize",
    "onnx_latency": "minimize",
}
"""What runs measure: overlap and surfaces on whole cases; latency in seconds, a patch at a time, on their device, or by
ONNX Runtime on their CPU."""
LATENCIES = ("latency", "onnx_latency")


@dataclass(frozen=True)
class Objective:
    """A metric to make as high or as low as possible; `limit` is the worst value that is acceptable.

    Raises:
        InputError: the direction is unknown, or the limit no number.
    """

    metric: str = "dice"
    direction: Direction = "maximize"
    limit: float | None = None

    def __post_init__(self) -> None:
        if self.direction not in ("maximize", "minimize"):
            raise InputError(
                f"objective {self.metric}: found direction {self.direction!r}, expected maximize, minimize"
            )
        if self.limit is not None and not math.isfinite(self.limit):
            raise InputError(f"objective {self.metric}: found limit {self.limit}, expected a finite number")

    def value(self, trial: Trial) -> float | None:
        """What a trial has reached; None where it was not measured."""
        if self.metric in COSTS:
            return None if getattr(trial, self.metric) is None else float(getattr(trial, self.metric))
        return trial.values.get(self.metric)

    def loss(self, trial: Trial) -> float:
        """What a trial has reached, such that lower is better; infinite where it was not measured."""
        value = self.value(trial)
        if value is None or math.isnan(value):
            return math.inf
        return -value if self.direction == "maximize" else value

    def to_json(self) -> dict[str, Any]:
        """The objective as plain JSON."""
        return asdict(self)


DICE = (Objective(),)
"""What a search is after unless told otherwise."""


def objectives_of(documents: Iterable[Mapping[str, Any]]) -> tuple[Objective, ...]:
    """The objectives that `Objective.to_json` wrote."""
    return tuple(Objective(**document) for document in documents)


def read_objectives(text: str) -> tuple[Objective, ...]:
    """The objectives in "dice" or "dice,latency": the first one is what networks are scored by.

    Raises:
        InputError: one that is unknown or named twice, or a first one that no validation measures.
    """
    names = [name.strip() for name in text.split(",")]
    scores = [name for name in MEASURED if name not in LATENCIES]
    for name in names:
        if name not in (*MEASURED, *COSTS):
            advice = did_you_mean(name, (*MEASURED, *COSTS))
            raise InputError(f"{field_named('objective')}: found {name!r}; {advice}")
    if len(set(names)) < len(names):
        raise InputError(f"{field_named('objective')}: found {text!r}; name each objective once")
    if names[0] not in scores:
        raise InputError(
            f"{field_named('objective')}: found {text!r}, expected a first one that says how well a network segments: "
            f"{', '.join(scores)}; costs come after it"
        )
    return tuple(Objective(name, MEASURED.get(name, "minimize")) for name in names)


def ranked(history: History, objectives: Sequence[Objective]) -> list[Trial]:
    """Trials that were scored, best first: by fronts where there are several objectives, then by the first one.

    Those that were trained further come first: complete ones, then paused ones by their rungs; one that is trained
    further now stands where it stood before. Of equals the one of
    fewer parameters comes first, then the one that was proposed first.
    """
    scored = [trial for trial in (trial.settled for trial in history.trials) if _is_scored(trial, objectives)]
    front: dict[int, int] = {}
    for length in {_length(trial) for trial in scored}:
        equally_long = [trial for trial in scored if _length(trial) == length]
        places = enumerate(fronts(equally_long, objectives))
        front |= {trial.number: place for place, trials in places for trial in trials}

    def place(trial: Trial) -> tuple[float, ...]:
        shorter = tuple(-part for part in _length(trial))
        return *shorter, front[trial.number], objectives[0].loss(trial), trial.parameters or 0, trial.number

    return sorted(scored, key=place)


def best_runs(history: History, objectives: Sequence[Objective], most: int) -> set[int]:
    """The best runs of the search at each rung, complete ones apart from paused ones: so many, and the first front."""
    groups: dict[tuple[State, int], list[Trial]] = {}
    for trial in history.trials:
        for run in trial.runs:
            if run.state in (State.COMPLETE, State.PAUSED) and run.key.split is Split.SEARCH:
                groups.setdefault((run.state, run.key.rung), []).append(replace(trial, runs=(run,)))
    best: list[Trial] = []
    for group in groups.values() if most else ():
        parts = [sorted(front, key=objectives[0].loss) for front in fronts(group, objectives)]
        first = len(parts[0]) if len(objectives) > 1 else 0  # none of these is beaten by another
        best += [trial for front in parts for trial in front][: max(most, first)]
    return {run.id for trial in best for run in trial.runs}


def _is_scored(trial: Trial, objectives: Sequence[Objective]) -> bool:
    paused = trial.state is State.PAUSED and objectives[0].value(trial) is not None
    return paused or trial.state is State.COMPLETE


def _length(trial: Trial) -> tuple[int, int]:
    """How far a trial was trained: complete, else to which rung."""
    return (1, 0) if trial.state is State.COMPLETE else (0, trial.latest.key.rung if trial.latest else 0)


def fronts(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[list[Trial]]:
    """Trials by Pareto rank: those that no other one beats in everything, then those that only they beat, and so on."""
    losses = [tuple(objective.loss(trial) for objective in objectives) for trial in trials]
    ranks = _ranks(set(losses))
    result: list[list[Trial]] = [[] for _ in set(ranks.values())]
    for trial, loss in zip(trials, losses, strict=True):
        result[ranks[loss]].append(trial)
    return result


def _ranks(losses: set[_Losses]) -> dict[_Losses, int]:
    """The front that each of some losses belongs to.

    Taken in order, none is beaten by a later one, and one that a front beats is beaten by all fronts before it (Zhang
    et al. 2015, efficient non-dominated sorting): so the first front that does not beat it is its own.
    """
    members: list[list[_Losses]] = []
    ranks: dict[_Losses, int] = {}
    for loss in sorted(losses):
        if len(loss) == 1:
            ranks[loss] = len(ranks)
            continue
        rank = bisect_left(members, True, key=lambda front: not _beats(front, loss))
        if rank == len(members):
            members.append([])
        members[rank].append(loss)
        ranks[loss] = rank
    return ranks


def _beats(front: Sequence[_Losses], loss: _Losses) -> bool:
    """Whether a front has a member that is as good in everything; what is equal in everything is not asked about.

    Of two objectives its latest member is the best in the second, so that the others say no more.
    """
    telling = front[-1:] if len(loss) == 2 else reversed(front)
    return any(all(map(le, member, loss)) for member in telling)
