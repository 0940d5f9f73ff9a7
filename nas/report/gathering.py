"""Reading what a report shows from a study: its history in one go, and a little more of the networks that stand out."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from nas.architecture.references import u_net
from nas.errors import InputError
from nas.graph import Graph, Style, Task, trace
from nas.graph.picture import draw
from nas.report.chance import Studied, chance_of
from nas.report.material import CaseScores, Drawing, Material, confirming_runs, scores_of
from nas.report.pareto import front_of
from nas.study.history import History, Measurement, Trial
from nas.study.protocol import ArchitectureRecord
from nas.study.settings import StudySettings

MOST_DRAWINGS = 40
"""A drawing takes 10 to 50 kB and some milliseconds."""
_MOST_BYTES = 1_000_000
_BEST_DRAWN = 20


class Readable(Protocol):
    """What a report reads of a study, in a database or in memory."""

    @property
    def settings(self) -> StudySettings:
        """What it was begun with."""
        ...

    def history(self, since: History | None = None) -> History:
        """All that is known."""
        ...

    def measurements(self, run: int, metric: str | None = None) -> list[Measurement]:
        """What a run has measured."""
        ...

    def architecture(self, digest: str) -> ArchitectureRecord:
        """A network that was recorded."""
        ...


def gather(
    study: Readable,
    *,
    random: Studied | None = None,
    storage: str = "",
    wanted: int = 0,
    moment: datetime | None = None,
) -> Material:
    """Everything that a report of a study shows.

    Args:
        study: which one.
        random: a study of random search in the same space and on the same data, to be put beside it.
        storage: what is to be typed as `--storage` to open it, "" for the usual place.
        wanted: networks that are to be trained in all, 0 if nobody has said.
        moment: when it is read; by default now.

    Raises:
        InputError: the other study is none of random search, or does not compare.
    """
    beside = None if random is None else chance_of(random, study.settings)
    history = study.history()
    bare = Material(settings=study.settings, history=history)
    graphs = dict(_graphs(study, _drawn(bare)))
    return Material(
        settings=study.settings,
        history=history,
        scores=dict(_scores(study, bare)),
        drawings=_drawings(bare, graphs),
        beside=_beside(study.settings, bare),
        source=_source(graphs.get(bare.winner.number) if bare.winner else None),
        wanted=wanted,
        storage=storage,
        chance=beside,
        moment=moment or datetime.now(UTC),
    )


def alone(study: Readable, trial: Trial) -> Material:
    """A single trial of a study, with the scores of its cases."""
    bare = Material(settings=study.settings, history=History((trial,)))
    return replace(bare, scores=dict(_scores(study, bare)))


def _scores(study: Readable, bare: Material) -> Iterator[tuple[int, CaseScores]]:
    """The cases of winner and rival in the search, and of all runs that confirm."""
    runs = [trial.latest.id for trial in (bare.winner, bare.rival) if trial is not None and trial.latest is not None]
    runs += [run.id for trial in bare.history.trials for run in confirming_runs(trial)]
    for run in dict.fromkeys(runs):
        scores = scores_of(study.measurements(run, bare.metric))
        if scores is not None:
            yield run, scores


def _drawn(bare: Material) -> Sequence[Trial]:
    """The trials whose networks are drawn: the best, the front, the published ones."""
    published = [trial for trial in bare.complete if trial.reference is not None]
    chosen = [*bare.order[:1], *front_of(bare), *bare.order[:_BEST_DRAWN], *published]
    return list({trial.number: trial for trial in chosen}.values())[:MOST_DRAWINGS]


def _graphs(study: Readable, trials: Sequence[Trial]) -> Iterator[tuple[int, Graph]]:
    """Graphs by trial; one that an earlier nas wrote, or that has a part of the user's own, may not be readable."""
    for trial in trials:
        try:
            yield trial.number, Graph.from_json(study.architecture(trial.digest or "").graph)
        except (InputError, KeyError, TypeError, ValueError):
            continue


def _drawings(bare: Material, graphs: dict[int, Graph]) -> dict[int, Drawing]:
    drawings: dict[int, Drawing] = {}
    room = _MOST_BYTES
    for number, graph in graphs.items():
        name = bare.name(bare.history.by_number[number])
        svg = draw(graph, name)
        room -= len(svg)
        if room < 0 and drawings:
            break
        drawings[number] = Drawing(name, svg)
    return drawings


def _beside(settings: StudySettings, bare: Material) -> Drawing | None:
    """U-Net of the study's task: what everybody knows."""
    if bare.winner is None or (bare.winner.reference or "").startswith("U-Net"):
        return None
    try:
        task = Task.from_json(settings.task)
        graph = trace(u_net(Style("batch"), min(len(task.strides or ()), 5)), task)
    except (InputError, KeyError, TypeError, ValueError, IndexError):
        return None
    return Drawing("U-Net", draw(graph, "U-Net"))


def _source(graph: Graph | None) -> str | None:
    from nas.export.source import source

    if graph is None:
        return None
    try:
        return source(graph)
    except (InputError, KeyError, TypeError, ValueError):
        return None
