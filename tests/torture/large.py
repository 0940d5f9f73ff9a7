"""A study of 10,000 trials: how long status, resuming and a proposal take."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from optuna.storages._rdb.models import TrialModel
from optuna.trial import TrialState
from sqlalchemy import func, insert, select, update

from nas.catalog import load_space
from nas.graph import Task
from nas.searching.candidates import Candidates, graph_of
from nas.searching.distributions import distributions
from nas.searching.evaluators import Beginning, Description, Recorder, Training
from nas.searching.gate import admit
from nas.searching.strategies import Start, Strategy
from nas.searching.strategies.counted import Counted
from nas.searching.strategies.novel import Novel
from nas.searching.strategies.tree_parzen import TreeParzen
from nas.space import Space, to_document
from nas.study.history import Document, History, Result, State
from nas.study.optuna import project
from nas.study.protocol import ArchitectureRecord, Claim, Worker
from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import open_storage
from nas.study.sql.study import SqlStudy
from nas.study.sql.tables import ArchitectureRow, MeasurementRow, RunRow, StudyRow, TrialRow
from nas.training import Recipe
from tests.study.conftest import SETTINGS
from tests.torture.common import databases, expect, folder, say

SIZES = {100: 30, 1_000: 150, 10_000: 150}
"""Milliseconds that a proposal may take after so many trials, on SQLite."""
SPACE = "unet_family"
EPOCHS = 5
PROPOSALS = 12


@dataclass(frozen=True)
class Described:
    """An evaluator that describes as a real one does, and trains nothing."""

    candidates: Candidates
    task: Task

    def describe(self, decisions: Document) -> Description:
        """The network's graph and cost."""
        candidate = self.candidates.decide(decisions)
        graph, problem = graph_of(candidate.architecture, self.task)
        if graph is None:
            return Description(None, candidate.recipe.digest, constraints={"traceable": 1.0}, refusal=problem)
        costs = {"parameters": graph.parameters, "macs": graph.macs, "training_bytes": graph.training_bytes}
        document = to_document(candidate.architecture)
        record = ArchitectureRecord(graph.digest, document, graph.to_json(), **costs)
        return Description(graph.digest, candidate.recipe.digest, record, {"seconds": -0.5})

    def run(self, training: Training, beginning: Beginning, recorder: Recorder) -> Result:
        """A result at random."""
        return Result(state=State.COMPLETE, values={"dice": random.Random(training.trial).random()})


def main() -> None:
    """Fill a study by steps and measure at each; on the database that is named, or on both."""
    with folder() as where, databases(where) as addresses:
        for kind, address in addresses.items():
            if len(sys.argv) < 2 or sys.argv[1].lower() == kind.lower():
                with open_storage(address, artifacts=where / "artifacts") as storage:
                    measure(kind, address, create_or_resume(storage, SETTINGS))


def measure(kind: str, address: str, study: SqlStudy) -> None:
    """Time what people and searches do."""
    generator = random.Random(0)
    evaluator = Described(Candidates(load_space(SPACE), Space("recipe", Recipe())), Task(axes=2, channels=1, classes=1))
    missed = []
    for size, bar in SIZES.items():
        begun = time.monotonic()
        fill(study, evaluator, generator, size)
        say(f"{kind}: {size} trials of {SPACE} ({time.monotonic() - begun:.0f} s to make)")
        first, later, parts = proposals(study, evaluator)
        words = ", ".join(f"{name} {milliseconds:.0f}" for name, milliseconds in parts.items())
        say(f"  a first proposal, reading everything: {first:.2f} s; the next ones {later:.0f} ms ({words})")
        if kind == "SQLite" and later > bar:
            missed.append(size)
    seconds = command(address, "status", study.name)
    bare = command(address, "--version")
    say(f"  nas status: {seconds:.2f} s, of which {bare:.2f} s is starting Python")
    with open_storage(address) as again:
        begun = time.monotonic()
        resumed = create_or_resume(again, SETTINGS)
        with resumed.at_work("cpu", lease=60) as worker:
            resumed.take_up(worker, resumed.watch(60).look(worker.id)[0])
            step(resumed, strategy(evaluator), evaluator, worker, resumed.history(), {})
        resuming = time.monotonic() - begun
    say(f"  resuming, from opening the database to the first proposal: {resuming:.2f} s")
    expect("nas status within 1 s", seconds < 1)
    expect("resuming within 3 s", resuming < 3)
    expect(f"each proposal within its bar {list(SIZES.values())} ms", not missed)


def strategy(evaluator: Described) -> Strategy:
    """What a search asks, its published networks aside, which come first and once."""

    def identify(decisions: Document) -> tuple[str | None, str | None]:
        description = evaluator.describe(decisions)
        return description.digest, description.recipe_digest

    goals = SETTINGS.goals
    return Counted(Novel(TreeParzen(evaluator.candidates, goals), evaluator.candidates, identify, goals), 10**6)


def proposals(study: SqlStudy, evaluator: Described) -> tuple[float, float, dict[str, float]]:
    """Seconds of a first proposal; milliseconds of the next ones, and of their parts, as medians."""
    asked, times = strategy(evaluator), []
    parts: dict[str, list[float]] = {}
    with study.at_work("cpu", lease=600) as worker:
        begun = time.monotonic()
        history = step(study, asked, evaluator, worker, None, {})
        first = time.monotonic() - begun
        for _ in range(PROPOSALS):
            begun = time.monotonic()
            history = step(study, asked, evaluator, worker, history, parts)
            times.append(time.monotonic() - begun)
    return first, median(times) * 1000, {name: median(values) * 1000 for name, values in parts.items()}


def step(
    study: SqlStudy,
    asked: Strategy,
    evaluator: Described,
    worker: Worker,
    history: History | None,
    parts: dict[str, list[float]],
) -> History:
    """One proposal: read what is new, ask, describe, admit, show it in Optuna; the result of the last one is there."""
    with timed(parts, "reading"):
        history = study.history(history)
    with timed(parts, "strategy"):
        action = asked.next(history, 0, random.Random(len(history.trials)))
        assert isinstance(action, Start)
    with timed(parts, "description and gate"):
        claim = admit(action, study=study, evaluator=evaluator, worker=worker, key=study.settings.first_run, most=10**6)
    if isinstance(claim, Claim):
        with timed(parts, "result"):
            study.finish(claim, Result(state=State.COMPLETE, values={"dice": random.random()}))
    with timed(parts, "Optuna's tables"):
        project(study, lambda decisions: distributions(evaluator.candidates, decisions))
    return history


@contextmanager
def timed(parts: dict[str, list[float]], name: str) -> Iterator[None]:
    """Note the seconds of a part."""
    begun = time.monotonic()
    yield
    parts.setdefault(name, []).append(time.monotonic() - begun)


def command(address: str, *arguments: str) -> float:
    """Seconds of a command; the best of five, as the first one reads from disk and others may use the machine."""
    times = []
    for _ in range(5):
        begun = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "nas.cli", *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"NAS_STORAGE": address},
            cwd=Path.cwd(),
        )
        times.append(time.monotonic() - begun)
    return min(times)


def fill(study: SqlStudy, evaluator: Described, generator: random.Random, size: int) -> None:
    """Trials as a search leaves them: 60 in 100 complete, 25 over a limit, 15 known. Only a few carry their graph."""
    space = evaluator.candidates.architectures
    described = evaluator.describe(evaluator.candidates.read(space.references["U-Net"])).architecture
    assert described is not None
    now = datetime.now(UTC)
    with study.storage.begin() as session:
        begin = session.scalar(select(func.count()).select_from(TrialRow)) or 0
        revision = session.scalars(select(StudyRow.revision)).one() + 1
    architectures, trials, runs, measurements = [], [], [], []
    for number in range(begin, size):
        kind, digest = generator.random(), f"net {number}"
        refusal = None if kind < 0.6 else State.INFEASIBLE if kind < 0.85 else State.DUPLICATE
        costs = {"parameters": 10_000, "macs": 10**6, "training_bytes": 10**6}
        graph = described.graph if number % 10 == 0 else {}
        architectures.append({"digest": digest, "document": described.document, "graph": graph, **costs})
        trials.append(
            {
                "id": number + 1,
                "study_id": study.id,
                "number": number,
                "digest": digest,
                "recipe_digest": "typical",
                "origin": "strategy",
                "decisions": dict(space.sample(generator)),
                "constraints": {"seconds": 0.5 if refusal is State.INFEASIBLE else -0.5},
                "refusal": refusal,
                "created": now,
                "revision": revision,
            }
        )
        if refusal is None:
            dice = generator.random()
            runs.append(
                {
                    "id": number + 1,
                    "study_id": study.id,
                    "trial_id": number + 1,
                    "fold": 0,
                    "seed": 0,
                    "split": "search",
                    "rung": 0,
                    "state": State.COMPLETE,
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
            )
            points = [("loss", epoch, 1 / epoch) for epoch in range(1, EPOCHS + 1)] + [("dice", EPOCHS, dice)]
            measurements += [
                {"run_id": number + 1, "epoch": epoch, "metric": metric, "class_index": -1, "case_name": "", "value": v}
                for metric, epoch, v in points
            ]
    project(study, lambda decisions: distributions(evaluator.candidates, decisions))
    backend = study.storage.optuna
    images = {"study_id": backend.get_study_id_from_name(study.name), "state": TrialState.FAIL}
    with study.storage.begin() as session:
        for table, rows in (
            (ArchitectureRow, architectures),
            (TrialRow, trials),
            (RunRow, runs),
            (MeasurementRow, measurements),
        ):
            session.execute(insert(table), rows)
        # Not through its interface, which takes milliseconds for each: images that hold no more than their number.
        session.execute(insert(TrialModel), [images | {"number": number} for number in range(begin, size)])
        session.execute(update(StudyRow).values(revision=revision, projected=revision))
    if study.storage.engine.dialect.name == "postgresql":
        with study.storage.engine.begin() as connection:
            for name in ("nas_trial", "nas_run"):
                connection.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
                )


if __name__ == "__main__":
    sys.exit(main())
