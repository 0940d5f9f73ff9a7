"""Trials and runs of a study without a training."""

from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from nas.study.history import Document, Result, Run, State, Trial
from nas.study.optuna import project
from nas.study.protocol import ArchitectureRecord, Claim, Proposal, Study, Worker
from nas.study.sql.study import SqlStudy


def recorded(digest: str, **cost: Any) -> ArchitectureRecord:
    """A network of that digest."""
    numbers = {"parameters": 1_000, "macs": 5_000_000_000, "training_bytes": 3_000_000_000} | cost
    return ArchitectureRecord(digest=digest, document={"of": digest}, graph={}, **numbers)


def proposal(digest: str | None, **about: Any) -> Proposal:
    """Decisions that lead to the network of that digest; `parameters` and other costs are the network's."""
    costs = {name: about.pop(name) for name in ("parameters", "macs", "training_bytes") if name in about}
    values = {"decisions": {}, "architecture": digest and recorded(digest, **costs)} | about
    return Proposal(digest=digest, **values)


def started(study: Study, worker: Worker, digest: str | None, **about: Any) -> Claim:
    """A run that this worker has begun."""
    claim = study.start(proposal(digest, **about), worker, most=10_000)
    assert isinstance(claim, Claim), claim
    return claim


def begun(study: Study, digest: str | None, **about: Any) -> Claim:
    """A run whose worker has ended meanwhile."""
    with study.at_work("cuda:0", lease=30) as worker:
        return started(study, worker, digest, **about)


def complete(study: Study, digest: str | None, dice: float, **about: Any) -> int:
    """The id of a run that is complete."""
    claim = begun(study, digest, **about)
    study.finish(claim, Result(state=State.COMPLETE, values={"dice": dice}))
    return claim.run


def failed(study: Study, digest: str | None, reason: str, **about: Any) -> int:
    """The id of a run that raised until it was given up."""
    with study.at_work("cpu", lease=30) as worker:
        claim = started(study, worker, digest, **about)
        while study.give_up(claim, reason) is not State.FAILED:
            again = study.take_up(worker, [])
            assert again is not None
            claim = again
    return claim.run


def refused(study: Study, digest: str | None, reason: str, **about: Any) -> Trial:
    """A trial over a limit."""
    return _refused(study, proposal(digest, refusal=State.INFEASIBLE, reason=reason, **about))


def duplicate(study: Study, digest: str, **about: Any) -> Trial:
    """A trial of a network that the study has already."""
    return _refused(study, proposal(digest, **about))


def run_of(study: Study, run: int) -> Run:
    """A run as it stands now."""
    return next(each for trial in study.history().trials for each in trial.runs if each.id == run)


def trial_of(study: Study, run: int) -> Trial:
    """The trial of a run as it stands now."""
    return study.history().by_number[run_of(study, run).trial]


def distributions(decisions: Document) -> dict[str, BaseDistribution]:
    """Optuna's distribution of decisions: of kinds of blocks, of whole numbers up to 10,000, of others up to 1."""
    return {name: _distribution(value) for name, value in decisions.items()}


def image(study: SqlStudy, *, finished: bool = False, afresh: bool = False) -> optuna.Study:
    """The study in Optuna's tables, after it was brought up to date there."""
    project(study, distributions, finished=finished, afresh=afresh)
    return optuna.load_study(study_name=study.name, storage=study.storage.optuna)


def _distribution(value: Any) -> BaseDistribution:
    if isinstance(value, str):
        return CategoricalDistribution(("plain", "dense"))
    return IntDistribution(1, 10_000) if isinstance(value, int) else FloatDistribution(0, 1)


def _refused(study: Study, given: Proposal) -> Trial:
    with study.at_work("cpu", lease=30) as worker:
        trial = study.start(given, worker, most=10_000)
    assert isinstance(trial, Trial), trial
    return trial
