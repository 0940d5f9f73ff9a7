"""A worker: takes up what was left, asks the strategy, carries out runs, until the strategy says that it is done."""

import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from nas.errors import InputError
from nas.searching.beginnings import beginning
from nas.searching.evaluators import Evaluator, Training
from nas.searching.events import Listener, Note, TrialEnded, TrialStarted, Working
from nas.searching.failures import refuse_to_go_on
from nas.searching.gate import admit
from nas.searching.schedule import Schedule
from nas.searching.strategies import Continue, Done, Repeat, Start, Strategy, Wait
from nas.study.history import TRAINED, UNDERWAY, History, Measurement, Result, Run, RunKey, State, Trial
from nas.study.protocol import Busy, Claim, LostClaimError, Orphaned, Study, Wanted, Worker, in_the_search

KEPT = 16
"""The best networks of each rung whose weights are kept while a search goes on, beside those of published networks."""
_PAUSE = 0.5
"""Seconds between looks while others train what is left."""
_MOMENT = 0.05
"""Seconds until another look where another worker was faster."""


@dataclass(frozen=True)
class Search:
    """All that the workers of a search share.

    Args:
        study: what they write to.
        strategy: what decides.
        evaluator: what trains.
        wanted: how many networks, those of earlier searches included.
        space_digest: of the space that the strategy proposes from.
        hear: hears what happens.
        schedule: how time is divided; None in a search of so many networks.
        project: shows what happened in Optuna's tables; told whether the search is over.
        takes: which runs that wait, or were left, are taken up.
        inherit: whether networks begin with the weights of those that they were changed from.
    """

    study: Study
    strategy: Strategy
    evaluator: Evaluator
    wanted: int
    space_digest: str
    hear: Listener
    schedule: Schedule | None = None
    project: Callable[[bool], None] = lambda _: None
    takes: Wanted = in_the_search
    inherit: bool = False


def work(search: Search, *, device: str, lease: float, orphaned: Orphaned | None = None) -> None:
    """Work on a study beside whoever else does, until the strategy is done.

    Args:
        search: what is to be done.
        device: where this worker trains, in words.
        lease: seconds without a sign of life after which a worker is taken for dead.
        orphaned: done when the process that started this one has ended.

    Raises:
        InputError: the space was widened meanwhile, trial after trial failed, or nothing can be trained.
        KeyboardInterrupt: stopped; the run in hand waits for another worker.
    """
    study = search.study
    with study.at_work(device, lease=lease, orphaned=orphaned) as worker:
        watch = study.watch(lease)
        history = before = study.history()
        while True:
            if not study.is_current(search.space_digest):
                raise InputError(f"the space of study {study.name!r} was widened meanwhile; begin this worker again")
            history = study.history(history)
            enough = _complete(history) >= search.wanted  # what waits then is left waiting
            claim = None if enough else study.take_up(worker, watch.look(worker.id)[0], search.takes)
            history = study.history(history)
            if claim is None:
                step = _next(search, history, worker)
                if step is None:
                    search.project(True)
                    return
                claim = step if isinstance(step, Claim) else None
                if isinstance(step, Wait | Busy):
                    search.project(False)
                    study.clock.sleep(min(_PAUSE, lease / 4) if isinstance(step, Wait) else _MOMENT)
                elif isinstance(step, Trial):
                    search.hear(_ended(search, step, history))
            if claim is not None:  # training does not wait for Optuna's tables, which follow with what it measures
                history = _carry_out(search, claim, study.history(history))
                search.project(False)
                refuse_to_go_on(study.name, history, before)


def _next(search: Search, history: History, worker: Worker) -> Claim | Trial | Busy | Wait | None:
    """Do what the strategy says: a claim, a trial that is not trained, nothing for now, or None at the end."""
    running = sum(run.state in UNDERWAY and in_the_search(run.trial, run.key) for t in history.trials for run in t.runs)
    action = search.strategy.next(history, running, _chance(search.study, worker, history))
    first = search.study.settings.first_run
    match action:
        case Done():
            if action.fault:
                raise InputError(f"study {search.study.name!r}: {action.reason}")
            if action.reason:
                search.hear(Note(action.reason))
            return None
        case Start():
            options = {"study": search.study, "evaluator": search.evaluator, "worker": worker}
            return admit(action, key=first, most=search.wanted, **options)  # type: ignore[arg-type]
        case Continue():
            key = RunKey(first.fold, first.seed, first.split, action.rung)
            return search.study.go_on(action.trial, key, worker)
        case Repeat():
            return search.study.go_on(action.trial, action.key, worker)
    return action


def _chance(study: Study, worker: Worker, history: History) -> Random:
    """A generator that is the same whenever this many trials are known; workers at one moment differ by their rank."""
    return Random((study.settings.seed + worker.rank * 7919) * 1_000_003 + len(history.trials))


def _carry_out(search: Search, claim: Claim, history: History) -> History:
    """Train a claimed run, from its checkpoint if it has one, put the result on record, and tell of it."""
    study = search.study
    trial, run = _claimed(history, claim)
    began = study.clock.steady()
    try:
        search.hear(
            TrialStarted(trial.number, trial.reference or "", trial.parameters or 0, trial.macs or 0, run.key.rung)
        )
        recorder = _Recorder(search, claim)
        training = Training(trial.number, trial.decisions or {}, run.key, trial.reference)
        begins = beginning(study, claim, trial, run, history, inherit=search.inherit)
        result = search.evaluator.run(training, begins, recorder)
        study.finish(claim, _timed(result, study.clock.steady() - began))
    except LostClaimError as lost:
        search.hear(Note(f"trial {trial.number}: {lost}; it goes on there"))
        return study.history(history)
    except InputError:  # what the user must mend, as a storage that cannot be written: the search stops
        study.give_back(claim)
        raise
    except Exception:
        _give_up(study, claim, traceback.format_exc())
    except BaseException:
        study.give_back(claim)
        raise
    study.prune(kept(search.schedule))
    history = study.history(history)
    search.hear(_ended(search, history.by_number[trial.number], history))
    return history


def _give_up(study: Study, claim: Claim, reason: str) -> None:
    try:
        study.give_up(claim, reason)
    except LostClaimError:
        return


def _claimed(history: History, claim: Claim) -> tuple[Trial, Run]:
    return next((trial, run) for trial in history.trials for run in trial.runs if run.id == claim.run)


def _timed(result: Result, seconds: float) -> Result:
    return replace(result, seconds=seconds) if result.seconds is None else result


def kept(schedule: Schedule | None) -> int:
    """Of how many networks of each rung weights and checkpoints are kept: of all, at least, that may climb."""
    return KEPT if schedule is None else max((KEPT, *schedule.survivors[1:]))


def _ended(search: Search, trial: Trial, history: History) -> TrialEnded:
    if search.schedule is None:
        return TrialEnded(trial, _complete(history), search.wanted)
    trained = len(history.in_state(*TRAINED))
    return TrialEnded(trial, trained, search.wanted, search.schedule.used(history))


def _complete(history: History) -> int:
    return len(history.in_state(State.COMPLETE, State.DIVERGED))


@dataclass(frozen=True)
class _Recorder:
    """Puts what a run leaves into the study, under its claim."""

    search: Search
    claim: Claim

    def measured(self, measurements: Iterable[Measurement]) -> None:
        """Numbers that were measured, shown at once."""
        self.search.study.report(self.claim, measurements)
        self.search.project(False)

    def keep(self, kind: str, path: Path) -> None:
        """A file that is to be kept."""
        self.search.study.keep(self.claim, kind, path)

    def working(self, what: str, done: int, total: int) -> None:
        """Part of a longer step is done."""
        self.search.hear(Working(what, done, total))

    def note(self, text: str) -> None:
        """Something worth a line."""
        self.search.hear(Note(text))
