"""Runs for TensorBoard: `pip install 'nas[tensorboard]'`, then `tensorboard --logdir DIR`."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: F401  (torch says less where it is missing)
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from nas.study.history import UNDERWAY, Run, Trial

_NOT_IN_NAMES = re.compile(r"[^\w.+-]+")


def tracker(where: str, study: str) -> "TensorBoard":
    """What writes into a folder of the study's name below `where`."""
    return TensorBoard(Path(where) / study)


@dataclass
class TensorBoard:
    """Writes a folder for each run, named by trial, network and run. What lay there when the search began is kept."""

    folder: Path
    _writers: dict[int, Any] = field(default_factory=dict)
    _written: dict[int, int] = field(default_factory=dict)
    _ended: set[int] = field(default_factory=set)

    def write(self, trial: Trial, run: Run) -> None:
        """What is new of a run."""
        folder = self.folder / _name(trial, run)
        if run.id in self._ended:
            return
        if run.id not in self._writers:
            if run.state not in UNDERWAY and folder.exists() and any(folder.iterdir()):
                self._ended.add(run.id)  # an earlier process has written it
                return
            self._writers[run.id] = SummaryWriter(str(folder), purge_step=0)
        writer = self._writers[run.id]
        for point in run.curve[self._written.get(run.id, 0) :]:
            writer.add_scalar(point.metric, point.value, point.epoch)
        self._written[run.id] = len(run.curve)
        if run.state in UNDERWAY:
            writer.flush()
        else:
            self._end(trial, run, writer)

    def close(self) -> None:
        """Close the files of runs that another process goes on with."""
        for writer in self._writers.values():
            writer.close()

    def _end(self, trial: Trial, run: Run, writer: Any) -> None:
        results = {f"final/{metric}": value for metric, value in run.values.items()}
        for name, value in results.items():
            writer.add_scalar(name, value, 0)
        if results:
            chosen = {path: "none" if value is None else value for path, value in (trial.decisions or {}).items()}
            for summary in hparams(chosen, results):
                writer.file_writer.add_summary(summary)
        writer.add_text("run", f"{trial.reference or 'proposed'}, {run.state}, {trial.parameters or 0:,} parameters")
        writer.close()
        del self._writers[run.id]
        self._ended.add(run.id)


def _name(trial: Trial, run: Run) -> str:
    called = _NOT_IN_NAMES.sub("-", trial.reference or "proposed").strip("-.")
    return f"{trial.number:04}-{called}-run-{run.id}"
