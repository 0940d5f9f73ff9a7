"""The gate: one proposal from its decisions to the right to train it, or to its place on record."""

from nas.searching.evaluators import Description, Evaluator
from nas.searching.strategies import Start
from nas.study.history import Origin, RunKey, State, Trial
from nas.study.protocol import Busy, Claim, Proposal, Study, Worker


def admit(
    start: Start, *, study: Study, evaluator: Evaluator, worker: Worker, key: RunKey, most: int
) -> Claim | Trial | Busy:
    """Describe a proposal and put it before the study.

    Args:
        start: what is proposed.
        study: which may know the network already.
        evaluator: says what the decisions lead to.
        worker: who proposes.
        key: of the first run.
        most: how many networks may be trained or under way in all.

    Returns:
        The claim; or the trial as it stands on record, where nothing is to be trained; or why there is no room now.
    """
    return study.start(proposal(start, evaluator.describe(start.decisions), key), worker, most=most)


def proposal(start: Start, description: Description, key: RunKey) -> Proposal:
    """A proposal with what it leads to."""
    wasted = description.waste if start.origin is Origin.STRATEGY else None
    refusal = description.refusal or wasted
    return Proposal(
        decisions=start.decisions,
        digest=description.digest,
        recipe_digest=description.recipe_digest,
        architecture=description.architecture,
        constraints={**description.constraints, **({"waste": 1.0} if wasted else {})},
        key=key,
        parent=start.parent,
        origin=start.origin,
        reference=start.reference,
        refusal=State.INFEASIBLE if refusal else None,
        reason=refusal,
    )
