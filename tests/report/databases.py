"""Made-up studies in a database, where commands find them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nas.catalog import load_space
from nas.searching.candidates import Candidates
from nas.searching.distributions import distributions
from nas.space import Space
from nas.study.history import Result, RunKey, Trial
from nas.study.optuna import project
from nas.study.protocol import ArchitectureRecord, Claim, Worker
from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import open_storage
from nas.study.sql.study import SqlStudy
from nas.training import Recipe
from tests.report.factories import Stored
from tests.study.runs import proposal


@contextmanager
def searched(database: Path, made: Stored, running: int = 2) -> Iterator[SqlStudy]:
    """The study in a database, so many of its last trainings not ended, and shown to Optuna."""
    with open_storage(str(database)) as storage:
        study = create_or_resume(storage, made.settings)
        with study.at_work("cpu", lease=600) as worker:
            for trial in made.trials:
                _train(study, made, trial, worker, still=trial.number >= len(made.trials) - running)
            candidates = Candidates(load_space("unet_family"), Space("recipe", Recipe()))
            project(study, lambda decisions: distributions(candidates, decisions))
            yield study


def _train(study: SqlStudy, made: Stored, trial: Trial, worker: Worker, *, still: bool) -> None:
    assert trial.digest is not None
    graph = made.graphs[trial.digest]
    costs = {"parameters": graph.parameters, "macs": graph.macs, "training_bytes": graph.training_bytes}
    record = ArchitectureRecord(digest=graph.digest, document={}, graph=graph.to_json(), **costs)
    about = {"decisions": trial.decisions, "architecture": record, "reference": trial.reference, "origin": trial.origin}
    claim = study.start(proposal(graph.digest, **about), worker, most=100_000)
    for run in trial.runs:
        if run.key.rung:
            claim = study.go_on(trial.number, RunKey(rung=run.key.rung), worker)
        assert isinstance(claim, Claim), claim
        study.report(claim, [*run.curve, *made.cases[run.id]])
        if not still or run is not trial.runs[-1]:
            study.finish(claim, Result(state=run.state, values=run.values, seconds=run.seconds, steps=run.steps))
