"""What a run begins from: a checkpoint, the weights of the network that it was changed from, or nothing."""

from pathlib import Path

from nas.errors import InputError
from nas.searching.evaluators import Beginning, Fresh, Resume, Warm
from nas.study.history import History, Run, Trial
from nas.study.protocol import CHECKPOINT, WEIGHTS, Claim, Study


def beginning(study: Study, claim: Claim, trial: Trial, run: Run, history: History, *, inherit: bool) -> Beginning:
    """What a claimed run begins from.

    Where weights are inherited, a network that was changed from another one begins with the other's weights, and what
    it is worth in the end is seen from the beginning: its run to full length starts with none.
    """
    child = inherit and trial.parent is not None
    if child and run.key.rung == len(study.settings.rungs) - 1:
        own = _file(study, run.id, CHECKPOINT)
        return Fresh() if own is None else Resume(own)
    checkpoint = study.checkpoint(claim)
    if checkpoint is not None:
        return Resume(checkpoint)
    parent = history.by_number.get(trial.parent) if child and trial.parent is not None else None
    weights = None if parent is None else _weights(study, parent)
    return Fresh() if weights is None else Warm(weights)


def _weights(study: Study, parent: Trial) -> Path | None:
    """The weights of the furthest run that kept them."""
    files = (_file(study, run.id, WEIGHTS) for run in reversed(parent.line))
    return next((file for file in files if file is not None), None)


def _file(study: Study, run: int, kind: str) -> Path | None:
    try:
        return study.file(run, kind)
    except InputError:  # never there, or dropped as many better ones came
        return None
