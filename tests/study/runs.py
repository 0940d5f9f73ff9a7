"""Evaluations of a study without a training."""

from nas.study import claims
from nas.study.records import Claim, Proposal, State
from nas.study.study import Study
from nas.study.workers import at_work


def begun(study: Study, trial: int, digest: str | None, **about: object) -> Claim:
    """One that runs, whose worker has ended meanwhile."""
    proposal = Proposal(decisions={}, digest=digest, **about)  # type: ignore[arg-type]
    with at_work(study, "cuda:0", lease=30) as worker:
        claim = claims.begin(study, worker.id, trial, proposal, wanted=1000, device="cuda:0")
    assert isinstance(claim, Claim)
    return claim


def ended(
    study: Study,
    trial: int,
    digest: str | None,
    state: State,
    reason: str = "",
    dice: float | None = None,
    **about: object,
) -> int:
    """The id of one that is on record as ended."""
    proposal = Proposal(**{"decisions": {}, "digest": digest} | about)  # type: ignore[arg-type]
    return claims.note(study, trial, proposal, state, reason, dice)
