"""Studies to report on, made up: what they hold looks like what a search leaves, and took no training."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from nas.architecture import EncoderDecoder, slim
from nas.catalog import load_space
from nas.errors import InputError
from nas.graph import Graph, Task, trace
from nas.report import Material, gather
from nas.space import to_document
from nas.study.history import Document, History, Measurement, Origin, Run, RunKey, Split, State, Trial
from nas.study.protocol import ArchitectureRecord
from nas.study.settings import StudySettings

TASK = Task(2, 1, 3, (64, 64), ((1, 1), (2, 2), (2, 2), (2, 2)))
BEGAN = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
CASES = tuple(f"case_{number:03}" for number in range(24))
HOSTILE = "<img src=x onerror=alert(1)></script><script>window.hurt=1</script>\"'&%{x}\u202e"
SETTINGS = StudySettings(
    name="hippocampus",
    space="unet_family",
    space_document={},
    space_digest="5" * 32,
    data="Task04_Hippocampus",
    data_fingerprint={
        "cases": 120,
        "axes": 2,
        "classes": [{"name": "background"}, {"name": "anterior"}, {"name": "posterior"}],
    },
    data_digest="d" * 32,
    synthetic=False,
    task=TASK.to_json(),
    recipe={"optimiser": {"kind": "adamw", "learning_rate": 0.003}, "batch": 8},
    plan={"seconds_each": 60.0, "limits": {"parameters": None, "memory": 4_000_000_000}},
    seed=0,
    versions={"nas": "0.1.0", "torch": "2.13.0"},
    device="cpu",
    data_source="/data/Task04_Hippocampus",
)


@dataclass
class Stored:
    """A study that is read and never written."""

    settings: StudySettings
    trials: tuple[Trial, ...] = ()
    cases: Mapping[int, Sequence[Measurement]] = field(default_factory=dict)
    graphs: Mapping[str, Graph] = field(default_factory=dict)

    def history(self, since: History | None = None) -> History:
        return History(self.trials, 1)

    def measurements(self, run: int, metric: str | None = None) -> list[Measurement]:
        return [point for point in self.cases.get(run, ()) if metric in (None, point.metric)]

    def architecture(self, digest: str) -> ArchitectureRecord:
        if digest not in self.graphs:
            raise InputError(f"there is no architecture {digest!r}")
        graph = self.graphs[digest]
        return ArchitectureRecord(digest, {}, graph.to_json(), graph.parameters, graph.macs, graph.training_bytes)

    @property
    def material(self) -> Material:
        return gather(self, moment=BEGAN + timedelta(days=1))


@cache
def members(count: int) -> tuple[tuple[Document, Graph, str | None], ...]:
    """Decisions, graph and published name of so many networks of the family, a few published ones first."""
    space = load_space("unet_family")
    chosen: list[tuple[Document, Graph, str | None]] = []
    for name in ("U-Net BN", "Residual U-Net", "U-Net++ R18"):
        architecture = slim(space.references[name], 3)
        chosen.append((space.read(space.references[name]), trace(architecture, TASK), name))
    chance = random.Random(7)
    while len(chosen) < count:
        architecture = space.decide(chance)
        graph = _graph(slim(architecture, 2))
        if graph is not None and graph.parameters < 3_000_000:
            chosen.append((space.read(architecture), graph, None))
    return tuple(chosen[:count])


def _graph(architecture: EncoderDecoder) -> Graph | None:
    try:
        return trace(architecture, TASK)
    except InputError:
        return None


def stored(count: int = 30, rungs: Sequence[float] = (1.0,), seed: int = 0, **settings: object) -> Stored:
    """A study of so many networks, all but the worst at each rung stopped there."""
    chance = random.Random(seed)
    trials, cases, graphs = [], {}, {}
    now, run = BEGAN, 0
    for number, (decisions, graph, name) in enumerate(members(count)):
        quality = 0.55 + 0.3 / (1 + math.exp(-(math.log10(graph.parameters) - 4.8) * 2)) + chance.gauss(0, 0.02)
        quality += 0.03 * (decisions.get("style.norm") == "instance") + 0.02 * number / count
        runs = []
        reached = sum(chance.random() < 0.55 or name is not None for _ in rungs[1:]) if len(rungs) > 1 else 0
        for rung in range(reached + 1):
            run += 1
            last = rung == len(rungs) - 1
            seconds = 60 * (rungs[rung] - (rungs[rung - 1] if rung else 0)) + chance.random()
            dice = quality * (0.8 + 0.2 * rungs[rung]) + chance.gauss(0, 0.01)
            state = State.COMPLETE if last else State.PAUSED
            runs.append(_run(run, number, rung, state, dice, now, seconds, rungs, chance))
            now += timedelta(seconds=seconds + 1.5)
            cases[run] = _cases(dice, chance)
        graphs[graph.digest] = graph
        trials.append(trial(number, decisions, graph, name, runs))
    return Stored(replace(SETTINGS, rungs=list(rungs), **settings), tuple(trials), cases, graphs)  # type: ignore[arg-type]


def trial(number: int, decisions: Document, graph: Graph, name: str | None, runs: Sequence[Run]) -> Trial:
    """A trial of a network."""
    return Trial(
        number=number,
        decisions=decisions,
        digest=graph.digest,
        recipe_digest="r",
        parameters=graph.parameters,
        macs=graph.macs,
        training_bytes=graph.training_bytes,
        origin=Origin.PUBLISHED if name else Origin.STRATEGY,
        reference=name,
        created=BEGAN,
        runs=tuple(runs),
    )


def _run(
    id: int,
    number: int,
    rung: int,
    state: State,
    dice: float,
    now: datetime,
    seconds: float,
    rungs: Sequence[float],
    chance: random.Random,
) -> Run:
    first, last = (round(20 * rungs[rung - 1]) if rung else 0), round(20 * rungs[rung])
    curve = []
    for epoch in range(first + 1, last + 1):
        share = 1 - math.exp(-epoch / 5)
        curve.append(Measurement(epoch, "loss", 1.4 - share * dice + chance.gauss(0, 0.01)))
        curve.append(Measurement(epoch, "training_dice", share * dice + chance.gauss(0, 0.005)))
    return Run(
        id=id, trial=number, key=RunKey(rung=rung), state=state, reason=None, values={"dice": dice}, steps=300,
        seconds=seconds, peak_bytes=None, device="cpu", worker="worker 1", started=now,
        finished=now + timedelta(seconds=seconds), worker_id=1, claim=1, curve=tuple(curve),
    )  # fmt: skip


def _cases(dice: float, chance: random.Random) -> list[Measurement]:
    rows = []
    for number, case in enumerate(CASES):
        level = math.sin(number) * 0.04
        for index in (1, 2):
            value = min(dice + level + 0.02 * (index - 1) + chance.gauss(0, 0.015), 1.0)
            rows.append(Measurement(20, "dice", value, index, case))
    return rows


def changed(study: Stored, change: Callable[[Trial], Trial]) -> Stored:
    """The study with each trial changed."""
    return replace(study, trials=tuple(change(trial) for trial in study.trials))


def in_state(study: Stored, state: State, reason: str) -> Stored:
    """The study as if all its runs had ended so."""

    def ended(trial: Trial) -> Trial:
        if state in (State.INFEASIBLE, State.DUPLICATE):
            return replace(trial, runs=(), refusal=state, reason=reason)
        runs = tuple(replace(run, state=state, values={}, reason=reason) for run in trial.runs)
        return replace(trial, runs=runs)

    return changed(study, ended)


def confirmed(study: Stored, number: int, dice: float, seed: int = 1, split: Split = Split.HOLDOUT) -> Stored:
    """The study with one more training of a trial, on other cases."""
    before = study.trials[number]
    run = max(run.id for trial in study.trials for run in trial.runs) + 1
    more = replace(before.runs[-1], id=run, key=RunKey(0, seed, split), values={"dice": dice})
    trials = list(study.trials)
    trials[number] = replace(before, runs=(*before.runs, more))
    return replace(study, trials=tuple(trials), cases={**study.cases, run: _cases(dice, random.Random(seed))})


def document_of(architecture: EncoderDecoder) -> Document:
    """An architecture as JSON."""
    return dict(to_document(architecture))
