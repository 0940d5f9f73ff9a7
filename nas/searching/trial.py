"""One trial's life: proposed, described, gated, claimed, trained, told."""

import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch

from nas.architecture import EncoderDecoder
from nas.errors import InputError
from nas.graph import Graph, trace
from nas.searching.bench import Bench
from nas.searching.candidates import graph_of
from nas.searching.events import Note, TrialStarted
from nas.searching.measuring import measure_network
from nas.searching.proposing import distributions
from nas.space import to_document
from nas.study import claims, mirror
from nas.study.claims import Busy
from nas.study.records import (
    ArchitectureRecord,
    Claim,
    Document,
    Evaluation,
    LostClaimError,
    Proposal,
    State,
)
from nas.study.study import Study
from nas.study.upkeep import prune_artifacts
from nas.study.workers import Worker
from nas.training import DivergedError, Recipe
from nas.training.memory import release


@dataclass(frozen=True)
class Outcome:
    """How a trial ended. `constraints` are what Optuna is told: feasible where all are 0 or less."""

    state: State
    dice: float | None = None
    reason: str | None = None
    constraints: Mapping[str, float] = field(default_factory=dict)


def begin_trial(
    bench: Bench, worker: Worker, decisions: Document, wanted: int, reference: str | None = None
) -> Evaluation | Claim | None:
    """Take one proposal from its decisions to the right to train it.

    Args:
        bench: what trials share.
        worker: who proposes.
        decisions: what was proposed.
        wanted: how many networks are wanted in all.
        reference: the published network that this is; it waits for any worker instead of being claimed at once.

    Returns:
        The claim; or the evaluation as it stands on record, where nothing is to be trained; or None where there is no
        room for another network now.
    """
    candidate = bench.ground.candidates.decide(decisions)
    plan = bench.ground.plan.decided(candidate.recipe)
    graph, problem = graph_of(candidate.architecture, bench.ground.task)
    excess = plan.excess(graph) if graph is not None else {"traceable": 1.0}
    proposal = Proposal(
        decisions=decisions,
        digest=None if graph is None else graph.digest,
        reference=reference,
        constraints=excess,
        fold=bench.fold,
        seed=bench.seed,
        recipe=candidate.recipe.to_json(),
        recipe_digest=candidate.recipe.digest,
    )
    if graph is None:
        return _noted(bench, worker, proposal, Outcome(State.INFEASIBLE, reason=problem))
    bench.study.record_architecture(_record(candidate.architecture, graph, trained=plan.fits(graph)))
    known = bench.study.evaluation_of(graph.digest, candidate.recipe.digest)
    if known is not None:
        return _noted(bench, worker, proposal, _known(known))
    over = plan.reason(graph)
    if over is not None:
        return _noted(bench, worker, proposal, Outcome(State.INFEASIBLE, reason=over))
    trial = mirror.make(bench.study, proposal, distributions(bench.ground.candidates, decisions), worker.id)
    state = State.RUNNING if reference is None else State.WAITING
    begun = claims.begin(bench.study, worker.id, trial, proposal, wanted=wanted, device=str(bench.device), state=state)
    if isinstance(begun, Claim):
        return begun
    return _turned_away(bench, trial, proposal, begun)


def run_trial(bench: Bench, claim: Claim) -> Evaluation:
    """Train the network of a claimed evaluation, from its checkpoint if it has one, and put the result on record.

    Returns:
        What is on record of it. A bug in training leaves it waiting to be tried again, its traceback being the reason;
        after some failures it ends as failed.

    Raises:
        KeyboardInterrupt: stopped; the evaluation waits for another worker.
        InputError: the storage cannot be written; likewise.
    """
    study = bench.study
    evaluation = study.evaluation(claim.evaluation)
    bench = replace(bench, study=study.holding(claim))
    start = time.perf_counter()
    try:
        candidate = bench.ground.candidates.decide(evaluation.decisions or {})
        graph = trace(candidate.architecture, bench.ground.task)
        bench.listener(TrialStarted(evaluation.trial, evaluation.reference or "", graph.parameters, graph.macs))
        outcome = _trained(bench, graph, candidate.recipe, evaluation)
        epochs = len(candidate.recipe.epoch_ends) if outcome.state is State.COMPLETE else None
        claims.end(
            study,
            claim,
            outcome.state,
            dice=outcome.dice,
            reason=outcome.reason,
            constraints={**(evaluation.constraints or {}), **outcome.constraints},
            seconds=time.perf_counter() - start,
            epochs=epochs,
        )
    except LostClaimError as lost:
        bench.listener(Note(f"trial {evaluation.trial}: {lost}; it goes on there"))
        return study.evaluation(evaluation.id)
    except Exception as error:
        if isinstance(error, InputError):  # a storage that cannot be written: the search stops
            claims.give_back(study, claim)
            raise
        if _given_up(study, claim, traceback.format_exc()) is State.WAITING:
            return study.evaluation(evaluation.id)
    except BaseException:
        claims.give_back(study, claim)
        raise
    finally:
        release(bench.device)
    ended = study.evaluation(evaluation.id)
    mirror.tell(study, ended)
    prune_artifacts(study)
    return ended


def _given_up(study: Study, claim: Claim, reason: str) -> State:
    try:
        return claims.give_up(study, claim, reason)
    except LostClaimError:
        return State.WAITING


def _trained(bench: Bench, graph: Graph, recipe: Recipe, evaluation: Evaluation) -> Outcome:
    try:
        return Outcome(State.COMPLETE, measure_network(bench, graph, recipe, evaluation.id))
    except DivergedError as error:
        return Outcome(State.COMPLETE, 0.0, str(error))
    except torch.OutOfMemoryError as error:
        return Outcome(State.INFEASIBLE, reason=f"out of memory: {error}", constraints={"out_of_memory": 1.0})


def _known(known: Evaluation) -> Outcome:
    constraints = {} if known.dice is not None else {"known_infeasible": 1.0}
    return Outcome(State.DUPLICATE, known.dice, f"the network of trial {known.trial}", constraints)


def _noted(bench: Bench, worker: Worker, proposal: Proposal, outcome: Outcome) -> Evaluation:
    """A proposal that is not trained, on record in the project's tables and in Optuna's."""
    proposal = replace(proposal, constraints={**proposal.constraints, **outcome.constraints})
    of = distributions(bench.ground.candidates, proposal.decisions)
    trial = mirror.make(bench.study, proposal, of, worker.id, outcome.dice or 0.0)
    noted = claims.note(bench.study, trial, proposal, outcome.state, outcome.reason or "", outcome.dice)
    return bench.study.evaluation(noted)


def _turned_away(bench: Bench, trial: int, proposal: Proposal, busy: Busy) -> Evaluation | None:
    """Another worker took the network, or the last room, in the moment between the look and the claim."""
    mirror.fail(bench.study, trial)
    if busy.trial is None or _is_queued(bench.study, proposal.reference):
        return None
    reason = f"the network of trial {busy.trial}, which another worker has in hand"
    return bench.study.evaluation(claims.note(bench.study, trial, proposal, State.DUPLICATE, reason))


def _is_queued(study: Study, reference: str | None) -> bool:
    """Whether a published network has its trial already: another search, begun at the same moment, made it."""
    return reference is not None and reference in tried_references(study)


def tried_references(study: Study) -> set[str | None]:
    """The published networks that have been tried, or are going to be."""
    return {found.reference for found in study.references() if found.state is not State.FAILED}


def _record(architecture: EncoderDecoder, graph: Graph, trained: bool) -> ArchitectureRecord:
    return ArchitectureRecord(
        digest=graph.digest,
        document=to_document(architecture),
        # Only what is trained can be asked for again, and a graph is a hundred times its description.
        graph=graph.to_json() if trained else {},
        parameters=graph.parameters,
        macs=graph.macs,
        training_bytes=graph.training_bytes,
    )
