"""A study filled as searches leave it, without any training, and an evaluator that describes as a real one does."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from optuna.storages._rdb.models import TrialModel
from optuna.trial import TrialState
from sqlalchemy import func, insert, select, update

from nas.catalog import load_space
from nas.graph import Task
from nas.searching.candidates import Candidates, graph_of
from nas.searching.distributions import distributions
from nas.searching.evaluators import Beginning, Description, Recorder, Training
from nas.space import Space, to_document
from nas.study.history import Document, Result, State
from nas.study.optuna import project
from nas.study.protocol import ArchitectureRecord
from nas.study.sql.study import SqlStudy
from nas.study.sql.tables import ArchitectureRow, MeasurementRow, RunRow, StudyRow, TrialRow
from nas.training import Recipe

SPACE = "unet_family"
EPOCHS = 5
ETA = 4
"""Of so many trials one goes on to the next rung."""


@dataclass(frozen=True)
class Described:
    """An evaluator that describes as a real one does, and trains nothing."""

    candidates: Candidates
    task: Task
    _latest: dict[str, Description] = field(default_factory=dict, repr=False, compare=False)

    def describe(self, decisions: Document) -> Description:
        """The network's graph and cost; the latest one is remembered, as a strategy asks first."""
        key = json.dumps(decisions, sort_keys=True)
        if key not in self._latest:
            self._latest.clear()
            self._latest[key] = self._described(decisions)
        return self._latest[key]

    def _described(self, decisions: Document) -> Description:
        candidate = self.candidates.decide(decisions)
        graph, problem = graph_of(candidate.architecture, self.task)
        if graph is None:
            return Description(None, candidate.recipe.digest, constraints={"traceable": 1.0}, refusal=problem)
        costs = {"parameters": graph.parameters, "macs": graph.macs, "training_bytes": graph.training_bytes}
        document = to_document(candidate.architecture)
        record = ArchitectureRecord(graph.digest, document, graph.to_json(), **costs)
        return Description(graph.digest, candidate.recipe.digest, record, {"seconds": -0.5})

    def identify(self, decisions: Document) -> tuple[str | None, str | None]:
        """Digests of network and recipe."""
        description = self.describe(decisions)
        return description.digest, description.recipe_digest

    def run(self, training: Training, beginning: Beginning, recorder: Recorder) -> Result:
        """A result at random."""
        return Result(state=State.COMPLETE, values={"dice": random.Random(training.trial).random()})


def described() -> Described:
    """An evaluator for slices of one channel and one class."""
    return Described(Candidates(load_space(SPACE), Space("recipe", Recipe())), Task(axes=2, channels=1, classes=1))


def fill(study: SqlStudy, evaluator: Described, generator: random.Random, size: int, rungs: int = 1) -> None:
    """Trials as a search leaves them: 60 in 100 trained, 25 over a limit, 15 known. Only a few carry their graph."""
    space = evaluator.candidates.architectures
    u_net = evaluator.describe(evaluator.candidates.read(space.references["U-Net"])).architecture
    assert u_net is not None
    with study.storage.begin() as session:
        begin = session.scalar(select(func.count()).select_from(TrialRow)) or 0
        revision = session.scalars(select(StudyRow.revision)).one() + 1
    architectures, trials, runs = [], [], []
    for number in range(begin, size):
        kind = generator.random()
        refusal = None if kind < 0.6 else State.INFEASIBLE if kind < 0.85 else State.DUPLICATE
        costs = {"parameters": generator.randrange(10_000, 10_000_000), "macs": 10**6, "training_bytes": 10**6}
        graph = u_net.graph if number % 10 == 0 else {}
        architectures.append({"digest": f"net {number}", "document": u_net.document, "graph": graph, **costs})
        decisions = dict(space.sample(generator))
        trials.append(_trial(study, number, decisions, refusal, revision))
        if refusal is None:
            reached = next((rung for rung in reversed(range(rungs)) if number % ETA**rung == 0), 0)
            runs += [_run(study, number, rung, rungs, generator.random(), revision) for rung in range(reached + 1)]
    project(study, lambda decisions: distributions(evaluator.candidates, decisions))
    backend = study.storage.optuna
    images = {"study_id": backend.get_study_id_from_name(study.name), "state": TrialState.FAIL}
    with study.storage.begin() as session:
        session.execute(insert(ArchitectureRow), architectures)
        session.execute(insert(TrialRow), trials)
        session.execute(insert(RunRow), runs)
        session.execute(insert(MeasurementRow), [point for run in runs for point in _curve(run)])
        # Not through its interface, which takes milliseconds for each: images that hold no more than their number.
        session.execute(insert(TrialModel), [images | {"number": number} for number in range(begin, size)])
        session.execute(update(StudyRow).values(revision=revision, projected=revision))
    if study.storage.engine.dialect.name == "postgresql":
        _count_on(study, ("nas_trial", "nas_run"))


def _trial(study: SqlStudy, number: int, decisions: Document, refusal: State | None, revision: int) -> dict[str, Any]:
    return {
        "id": number + 1,
        "study_id": study.id,
        "number": number,
        "digest": f"net {number}",
        "recipe_digest": "typical",
        "origin": "strategy",
        "decisions": decisions,
        "constraints": {"seconds": 0.5 if refusal is State.INFEASIBLE else -0.5},
        "refusal": refusal,
        "created": datetime.now(UTC),
        "revision": revision,
    }


def _run(study: SqlStudy, number: int, rung: int, rungs: int, dice: float, revision: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "id": number * 10 + rung + 1,
        "study_id": study.id,
        "trial_id": number + 1,
        "fold": 0,
        "seed": 0,
        "split": "search",
        "rung": rung,
        "state": State.COMPLETE if rung == rungs - 1 else State.PAUSED,
        "score": dice,
        "measured": {"dice": dice},
        "steps": 100,
        "seconds": 10.0,
        "claim": 1,
        "failures": 0,
        "started": now,
        "finished": now,
        "revision": revision,
    }


def _curve(run: dict[str, Any]) -> list[dict[str, Any]]:
    points: Sequence[tuple[str, int, float]] = [("loss", epoch, 1 / epoch) for epoch in range(1, EPOCHS + 1)]
    key = {"run_id": run["id"], "class_index": -1, "case_name": ""}
    return [
        key | {"metric": metric, "epoch": epoch, "value": value}
        for metric, epoch, value in [*points, ("dice", EPOCHS, run["score"])]
    ]


def _count_on(study: SqlStudy, tables: Sequence[str]) -> None:
    """Let PostgreSQL number new rows after those that were given numbers here."""
    with study.storage.engine.begin() as connection:
        for name in tables:
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
            )
