"""One trial's life: asked, described, gated, trained, told."""

import gc
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from nas.architecture import EncoderDecoder
from nas.errors import InputError
from nas.graph import Graph, Task, trace
from nas.searching.bench import Bench
from nas.searching.events import TrialStarted
from nas.searching.measuring import measure_network
from nas.space import to_document
from nas.space.choosers import from_trial
from nas.study.records import ArchitectureRecord, Evaluation, State
from nas.training import DivergedError

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Outcome:
    """How a trial ended. `constraints` are what Optuna is told: feasible where all are 0 or less."""

    state: State
    dice: float | None = None
    reason: str | None = None
    constraints: Mapping[str, float] = field(default_factory=dict)


def run_trial(bench: Bench, told: "optuna.Study", trial: "optuna.trial.Trial") -> Evaluation:
    """Take one proposal from its decisions to its result, in the study and in Optuna.

    Returns:
        What is on record of it. A bug in training ends as failed, its traceback being the reason.

    Raises:
        KeyboardInterrupt: the user stopped it; nothing is left running.
        InputError: the storage cannot be written.
    """
    architecture = bench.space.decide(from_trial(trial))
    graph, problem = _describe(architecture, bench.task)
    if graph is not None:
        bench.study.record_architecture(_record(architecture, graph, trained=bench.plan.fits(graph)))
    known = bench.study.evaluation_of(graph.digest) if graph is not None else None
    evaluation = bench.study.start(
        trial.number,
        graph.digest if graph is not None else None,
        reference=trial.user_attrs.get("reference"),
        fold=bench.fold,
        seed=bench.seed,
        device=str(bench.device),
    )
    start = time.perf_counter()
    try:
        outcome = _outcome(bench, trial, graph, known, evaluation) if graph is not None else _untraceable(problem)
    except BaseException as error:
        # Interrupted, or a storage that cannot be written: the trial ends as failed, the search stops.
        outcome = Outcome(State.FAILED, reason="interrupted" if not isinstance(error, Exception) else str(error))
        _tell(bench, told, trial, evaluation, outcome, time.perf_counter() - start)
        raise
    _tell(bench, told, trial, evaluation, outcome, time.perf_counter() - start)
    return bench.study.evaluation(evaluation)


def _describe(architecture: EncoderDecoder, task: Task) -> tuple[Graph | None, str]:
    try:
        return trace(architecture, task), ""
    except InputError as error:
        return None, str(error)


def _untraceable(problem: str) -> Outcome:
    return Outcome(State.INFEASIBLE, reason=problem, constraints={"traceable": 1.0})


def _outcome(
    bench: Bench, trial: "optuna.trial.Trial", graph: Graph, known: Evaluation | None, evaluation: int
) -> Outcome:
    excess = bench.plan.excess(graph)
    if known is not None:
        constraints = excess if known.dice is not None else {**excess, "known_infeasible": 1.0}
        return Outcome(State.DUPLICATE, known.dice, f"the network of trial {known.trial}", constraints)
    reason = bench.plan.reason(graph)
    if reason is not None:
        return Outcome(State.INFEASIBLE, reason=reason, constraints=excess)
    name = trial.user_attrs.get("reference")
    bench.listener(TrialStarted(trial.number, name or "", graph.parameters, graph.macs))
    try:
        return Outcome(State.COMPLETE, measure_network(bench, graph, evaluation), constraints=excess)
    except DivergedError as error:
        return Outcome(State.COMPLETE, 0.0, str(error), excess)
    except torch.OutOfMemoryError as error:
        return Outcome(State.INFEASIBLE, reason=f"out of memory: {error}", constraints={"out_of_memory": 1.0})
    except InputError:
        raise
    except Exception:
        return Outcome(State.FAILED, reason=traceback.format_exc())
    finally:
        _release(bench.device)


def _tell(
    bench: Bench, told: "optuna.Study", trial: "optuna.trial.Trial", evaluation: int, outcome: Outcome, seconds: float
) -> None:
    """Put a trial's end on record, in the project's tables and in Optuna's."""
    import optuna

    epochs = bench.plan.recipe.epochs if outcome.state is State.COMPLETE else None
    bench.study.finish(
        evaluation, outcome.state, dice=outcome.dice, reason=outcome.reason, seconds=seconds, epochs=epochs
    )
    with bench.study.storage.guarded():
        if outcome.state is State.FAILED:
            told.tell(trial, state=optuna.trial.TrialState.FAIL)
            return
        for name, value in outcome.constraints.items():
            trial.set_constraint(name, value)
        # An infeasible network has no Dice; Optuna ranks it by its constraints and asks for some value.
        told.tell(trial, outcome.dice or 0.0)


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


def _release(device: torch.device) -> None:
    """Give back what the trial held, so that memory is flat over many trials."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
