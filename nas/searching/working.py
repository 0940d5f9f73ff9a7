"""A worker: takes up what was left, proposes, trains, until as many networks are trained as are wanted."""

import time
from collections.abc import Callable
from functools import partial

from nas.errors import InputError
from nas.searching.bench import Bench
from nas.searching.events import Note, TrialEnded
from nas.searching.failing import FailureWatch
from nas.searching.proposing import MOST_PAST, Proposer, neighbour
from nas.searching.trial import begin_trial, run_trial
from nas.study import claims, mirror
from nas.study.records import Claim, Document, Evaluation, State
from nas.study.workers import Watch, Worker, at_work

_MISSES_BEFORE_MUTATION = 8
_MISSES_BEFORE_THE_END = 400
_BEST = 10
_PAUSE = 0.5
"""Seconds between looks while the last networks are trained by others."""


def work(
    bench: Bench,
    wanted: int,
    *,
    lease: float,
    queue: Callable[[Worker], None] = lambda _: None,
    orphaned: Callable[[], None] | None = None,
) -> None:
    """Work on a study beside whoever else does, until so many different networks are trained.

    Args:
        bench: what trials share.
        wanted: how many networks, those of all workers and earlier searches included.
        lease: seconds without a sign of life after which a worker is taken for dead.
        queue: makes the first proposals, once the worker is registered.
        orphaned: called when the process that started this one has ended.

    Raises:
        InputError: the space was widened meanwhile, or trial after trial failed.
    """
    study, failures = bench.study, FailureWatch(bench.study)
    with at_work(study, str(bench.device), lease=lease, orphaned=orphaned) as worker:
        watch, proposer, misses = Watch(study, lease), Proposer(bench.ground.candidates), 0
        settle = partial(mirror.settle, study, lambda: watch.look(worker.id)[1])
        settle()
        queue(worker)
        while True:
            if study.space_digest() != bench.ground.candidates.architectures.digest():
                raise InputError(f"the space of study {study.name!r} was widened meanwhile; begin this worker again")
            dead, _ = watch.look(worker.id)
            claim = claims.take_up(study, worker.id, dead, wanted=wanted, device=str(bench.device))
            if claim is None:
                complete, running, waiting = claims.underway(study)
                if complete >= wanted:
                    settle()
                    return
                if complete + running + waiting >= wanted:
                    settle()
                    time.sleep(min(_PAUSE, lease / 4))
                    continue
                begun = _propose(bench, worker, proposer, wanted, mutate=misses >= _MISSES_BEFORE_MUTATION)
                if not isinstance(begun, Claim):
                    misses += begun is not None
                    if begun is not None:
                        bench.listener(TrialEnded(begun, complete, wanted))
                    if misses >= _MISSES_BEFORE_THE_END:
                        text = f"the last {misses} proposals were known or over a limit; the space seems exhausted"
                        bench.listener(Note(text))
                        return
                    continue
                claim = begun
            ended = run_trial(bench, claim)
            misses = 0 if ended.state is State.COMPLETE else misses + 1
            complete, failed = claims.outcomes(study)
            bench.listener(TrialEnded(ended, complete, wanted))
            failures.look(complete, failed)


def _propose(
    bench: Bench, worker: Worker, proposer: Proposer, wanted: int, *, mutate: bool
) -> Evaluation | Claim | None:
    past = bench.study.past(MOST_PAST)
    # A sampler seeded by the trial's number goes on after an interruption as it would have without one. Workers that
    # propose at one moment differ by their rank.
    seed = ((bench.seed + worker.rank * 7919) * 1_000_003 + bench.study.next_trial()) % 2**32
    best = _best(past) if mutate else []
    decisions = neighbour(bench.ground.candidates, best, seed) if best else proposer.propose(past, seed)
    return begin_trial(bench, worker, decisions, wanted)


def _best(past: list[Evaluation]) -> list[Document]:
    """The decisions of the best networks."""
    done = [each for each in past if each.state is State.COMPLETE and each.decisions is not None]
    done.sort(key=lambda each: -(each.dice or 0))
    return [each.decisions for each in done[:_BEST] if each.decisions is not None]
