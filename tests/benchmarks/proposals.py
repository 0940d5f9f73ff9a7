"""What a proposal takes, with description, gate and storage, after so many trials, on SQLite.

    python -m tests.benchmarks.proposals [--sizes 100,1000,10000] [--strategy tree_parzen] [--rungs 1]
        [--objectives dice,parameters] [--profile]

Processor time is what counts where others use the machine: it is of this process alone. Beside the proposal stand the
end of its run and Optuna's tables, which follow while it trains and when it has ended.
"""

import argparse
import cProfile
import pstats
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

import torch

from nas.searching.distributions import distributions
from nas.searching.gate import admit
from nas.searching.loop import KEPT
from nas.searching.schedule import Schedule
from nas.searching.strategies import Start, Strategy
from nas.searching.strategies.counted import Counted
from nas.searching.strategies.halving import Halving
from nas.searching.strategies.own import Own
from nas.searching.strategies.proposers import PROPOSERS, Ground
from nas.study.history import History, Result, State
from nas.study.objective import Objective, read_objectives
from nas.study.optuna import project
from nas.study.protocol import Claim, Worker
from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import open_storage
from nas.study.sql.study import SqlStudy
from tests.benchmarks.filled import ETA, Described, described, fill
from tests.benchmarks.measuring import show
from tests.study.conftest import SETTINGS

BARS = {100: 30, 1_000: 150, 10_000: 150}
"""Milliseconds that a proposal may take after so many trials."""
PROPOSALS = 12


@dataclass
class Times:
    """Seconds of each part of each proposal: of this process's processor time, and by the clock on the wall."""

    parts: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    processor: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Note what a part takes."""
        began = time.process_time()
        yield
        self.parts[name].append(time.process_time() - began)

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Note what a proposal takes."""
        began, started = time.process_time(), time.monotonic()
        yield
        self.processor.append(time.process_time() - began)
        self.wall.append(time.monotonic() - started)


def asked(evaluator: Described, objectives: tuple[Objective, ...], name: str, rungs: int) -> Strategy:
    """What a search asks, its published networks aside, which come first and once."""
    proposing = PROPOSERS[name](Ground(evaluator.candidates, objectives, evaluator.identify))
    counted = Counted(proposing, 10**6)
    if rungs == 1:
        return Own(counted)
    lengths = tuple(float(ETA) ** (rung - rungs + 1) for rung in range(rungs))
    # So much time that exploring goes on.
    schedule = Schedule(1e9, 40.0, lengths, tuple(10**6 // ETA**rung for rung in range(rungs)))
    return Own(Halving(counted, schedule, objectives))


def step(
    study: SqlStudy, strategy: Strategy, evaluator: Described, worker: Worker, history: History | None, times: Times
) -> History:
    """One proposal: read what is new, ask, describe, admit. Then the end of its run, and both in Optuna's tables."""
    with times.whole():
        with times.part("reading"):
            history = study.history(history)
        with times.part("strategy"):
            action = strategy.next(history, 0, random.Random(len(history.trials)))
            assert isinstance(action, Start), action
        with times.part("description and gate"):
            claim = admit(
                action, study=study, evaluator=evaluator, worker=worker, key=study.settings.first_run, most=10**6
            )
    with times.part("the run's end"):
        if isinstance(claim, Claim):
            study.finish(claim, Result(state=State.COMPLETE, values={"dice": random.random()}, seconds=10.0))
            study.prune(KEPT)
    with times.part("Optuna's tables"):
        project(study, lambda decisions: distributions(evaluator.candidates, decisions))
    return history


def proposals(
    study: SqlStudy, strategy: Strategy, evaluator: Described, number: int = PROPOSALS
) -> tuple[Times, Times]:
    """What a first proposal takes, which reads everything, and what the next ones take."""
    first, later = Times(), Times()
    with study.at_work("cpu", lease=600) as worker:
        history = step(study, strategy, evaluator, worker, None, first)
        for _ in range(number):
            history = step(study, strategy, evaluator, worker, history, later)
    return first, later


def main() -> None:
    """Fill a study by steps and measure at each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=",".join(map(str, BARS)))
    parser.add_argument("--strategy", default="tree_parzen", choices=PROPOSERS)
    parser.add_argument("--objectives", default="dice")
    parser.add_argument("--rungs", type=int, default=1)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    objectives = read_objectives(options.objectives)
    settings = replace(SETTINGS, objectives=[objective.to_json() for objective in objectives])
    evaluator, generator, rows = described(), random.Random(0), []
    with tempfile.TemporaryDirectory() as folder, open_storage(Path(folder) / "nas.db") as storage:
        study = create_or_resume(storage, settings)
        for size in map(int, options.sizes.split(",")):
            fill(study, evaluator, generator, size, options.rungs)
            profile = cProfile.Profile()
            if options.profile:
                profile.enable()
            strategy = asked(evaluator, objectives, options.strategy, options.rungs)
            first, later = proposals(study, strategy, evaluator)
            profile.disable()
            rows.append((str(size), *map(milliseconds, [first.processor, later.processor, later.wall])))
            rows[-1] = (*rows[-1], *map(milliseconds, later.parts.values()))
            print(*rows[-1], flush=True)
            if options.profile:
                pstats.Stats(profile).sort_stats("cumulative").print_stats(60)
    title = (
        f"{options.strategy}, {options.objectives}, {options.rungs} rungs: median (best) ms of {PROPOSALS} proposals"
    )
    columns = ("trials", "first", "processor", "wall", *later.parts)
    show(title, columns, rows)


def milliseconds(seconds: list[float]) -> str:
    """Milliseconds in the middle, and at best."""
    return f"{1000 * median(seconds):.0f} ({1000 * min(seconds):.0f})"


if __name__ == "__main__":
    main()
