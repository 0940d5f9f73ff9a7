"""Runs for MLflow: `pip install 'nas[mlflow]'`. The study is an experiment, each run of a trial a run."""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

# Nothing of a study goes to anybody but the server that the user names.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from nas.study.history import UNDERWAY, Run, State, Trial

_RUN, _POINTS = "nas.run", "nas.points"
"""Tags: which run of the study it is, and how much of its curve is written."""
_AT_ONCE = 100
"""Parameters or metrics that a server takes at once."""
_LONGEST = 250
_PAGE = 1000


def tracker(where: str, study: str) -> "Mlflow":
    """What writes to a tracking server or a database."""
    return Mlflow(MlflowClient(tracking_uri=where), study)


class Mlflow:
    """Writes each run once, also where an earlier process began it."""

    def __init__(self, client: MlflowClient, study: str) -> None:
        self._client = client
        experiment = client.get_experiment_by_name(study)
        self._experiment = client.create_experiment(study) if experiment is None else experiment.experiment_id
        self._runs: dict[int, str] = {}
        self._written: dict[int, int] = {}
        self._ended: set[int] = set()
        for run in self._existing():
            number = int(run.data.tags[_RUN])
            self._runs[number] = run.info.run_id
            self._written[number] = int(run.data.tags.get(_POINTS, 0))
            if run.info.status != "RUNNING":
                self._ended.add(number)

    def write(self, trial: Trial, run: Run) -> None:
        """What is new of a run."""
        if run.id in self._ended:
            return
        if run.id not in self._runs:
            self._begin(trial, run)
        identity, points = self._runs[run.id], run.curve[self._written.get(run.id, 0) :]
        now = _milliseconds(run.finished or run.started)
        metrics = [Metric(p.metric, p.value, now, p.epoch) for p in points if math.isfinite(p.value)]
        self._log(identity, metrics=metrics, tags=[RunTag(_POINTS, str(len(run.curve)))])
        self._written[run.id] = len(run.curve)
        if run.state not in UNDERWAY:
            final = [
                Metric(f"final.{name}", value, now, 0) for name, value in run.values.items() if math.isfinite(value)
            ]
            self._log(identity, metrics=final)
            is_good = run.state in (State.COMPLETE, State.PAUSED)
            self._client.set_terminated(identity, "FINISHED" if is_good else "FAILED", now)
            self._ended.add(run.id)

    def close(self) -> None:
        """Nothing is left open: a run that another process goes on with stays running."""

    def _existing(self) -> Iterator[Any]:
        token: str | None = None
        while True:
            page = self._client.search_runs([self._experiment], max_results=_PAGE, page_token=token)
            yield from (run for run in page if run.data.tags.get(_RUN, "").isdigit())
            token = page.token
            if not token:
                return

    def _begin(self, trial: Trial, run: Run) -> None:
        name = f"{trial.number} {trial.reference or 'proposed'}"
        tags = {_RUN: str(run.id), "nas.trial": str(trial.number), "nas.digest": trial.digest or ""}
        created = self._client.create_run(
            self._experiment, start_time=_milliseconds(run.started), run_name=name, tags=tags
        )
        self._runs[run.id] = created.info.run_id
        facts: Mapping[str, Any] = {"parameters": trial.parameters, "macs": trial.macs, **(trial.decisions or {})}
        self._log(created.info.run_id, params=[Param(path, str(value)[:_LONGEST]) for path, value in facts.items()])

    def _log(
        self,
        identity: str,
        *,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
    ) -> None:
        for start in range(0, max(len(metrics), len(params), len(tags)), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            self._client.log_batch(identity, list(metrics[part]), list(params[part]), list(tags[part]))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
