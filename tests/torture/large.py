"""A study of 10,000 trials: how long status, resuming and a proposal take."""

import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import insert

from nas.catalog import load_space
from nas.graph import Task, trace
from nas.searching.candidates import Candidates
from nas.searching.proposing import MOST_PAST, Proposer, distributions
from nas.space import Space, to_document
from nas.study import mirror
from nas.study.opening import create_or_resume
from nas.study.records import Proposal, State
from nas.study.storage import open_storage
from nas.study.study import Study
from nas.study.tables import ArchitectureRow, EvaluationRow
from nas.study.workers import Watch, at_work
from nas.training import Recipe
from tests.study.conftest import SETTINGS
from tests.torture.common import databases, expect, folder, say

SIZES = (100, 1_000, 10_000)
SPACE = "unet_family"
MIRRORED = 10_000


def main() -> None:
    """Fill a study by steps and measure at each."""
    with folder() as where, databases(where) as addresses:
        for kind, address in addresses.items():
            with open_storage(address, artifacts=where / "artifacts") as storage:
                study = create_or_resume(storage, SETTINGS)
                measure(kind, address, study)


def measure(kind: str, address: str, study: Study) -> None:
    """Time what people and searches do."""
    generator = random.Random(0)
    candidates = Candidates(load_space(SPACE), Space("recipe", Recipe()))
    task = Task(axes=2, channels=1, classes=1)
    filled = 0
    for size in SIZES:
        begun = time.monotonic()
        fill(study, candidates, task, generator, range(filled, size))
        say(f"{kind}: {size} trials of {SPACE} ({time.monotonic() - begun:.0f} s to make)")
        filled = size
        first, later = proposals(study, candidates)
        say(f"  a proposal (from the {min(size, MOST_PAST)} best and latest): {first:.2f} s, the next {later:.2f} s")
    seconds = command(address, "status", study.name)
    bare = command(address, "--version")
    say(f"  nas status: {seconds:.2f} s, of which {bare:.2f} s is starting Python")
    expect("nas status within 1 s", seconds < 1)
    with open_storage(address) as again:
        begun = time.monotonic()
        resumed = create_or_resume(again, SETTINGS)
        with at_work(resumed, "cpu", lease=60) as worker:
            mirror.settle(resumed, lambda: Watch(resumed, 60).look(worker.id)[1])
            resumed.references()
            Proposer(candidates).propose(resumed.past(MOST_PAST), 0)
        seconds = time.monotonic() - begun
    say(f"  resuming, from opening the database to the first proposal: {seconds:.2f} s")
    expect("resuming within 3 s", seconds < 3)


def proposals(study: Study, candidates: Candidates) -> tuple[float, float]:
    """Seconds of a first proposal, which reads everything, and of the next one."""
    proposer = Proposer(candidates)
    times = []
    for seed in range(2):
        begun = time.monotonic()
        proposer.propose(study.past(MOST_PAST), seed)
        times.append(time.monotonic() - begun)
    return times[0], times[1]


def command(address: str, *arguments: str) -> float:
    """Seconds of a command; the best of five, as the first one reads from disk and others may use the machine."""
    times = []
    for _ in range(5):
        begun = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "nas.cli", *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            env=os.environ | {"NAS_STORAGE": address},
            cwd=Path.cwd(),
        )
        times.append(time.monotonic() - begun)
    return min(times)


def fill(study: Study, candidates: Candidates, task: Task, generator: random.Random, trials: range) -> None:
    """Trials as a search leaves them: 60 in 100 complete, 25 over a limit, 15 known. Only a few carry their graph."""
    now = datetime.now(UTC)
    architectures, evaluations = [], []
    space = candidates.architectures
    graph = trace(space.references["U-Net"], task).to_json()
    for trial in trials:
        decisions = dict(space.sample(generator))
        kind = generator.random()
        state = State.COMPLETE if kind < 0.6 else State.INFEASIBLE if kind < 0.85 else State.DUPLICATE
        digest = f"net {trial}"
        document = to_document(space.decide(decisions))
        architectures.append(
            {
                "digest": digest,
                "document": document,
                "graph": graph if trial % 10 == 0 else {},
                "parameters": 10_000,
                "macs": 10**6,
                "training_bytes": 10**6,
            }
        )
        dice = generator.random() if state is not State.INFEASIBLE else None
        constraints = {"seconds": 0.5 if state is State.INFEASIBLE else -0.5}
        evaluations.append(
            {
                "study_id": study.id,
                "trial": trial,
                "digest": digest,
                "reference": None,
                "state": state,
                "fold": 0,
                "seed": 0,
                "rung": 0,
                "started": now,
                "finished": now,
                "seconds": 10.0,
                "epochs": 5,
                "dice": dice,
                "decisions": decisions,
                "constraints": constraints,
                "claim": 1,
                "failures": 0,
            }
        )
        if trial < MIRRORED and trial % 10 == 0:
            proposal = Proposal(decisions=decisions, digest=digest, constraints=constraints)
            mirror.make(study, proposal, distributions(candidates, decisions), 0, dice or 0.0)
    with study.storage.begin() as session:
        session.execute(insert(ArchitectureRow), architectures)
        session.execute(insert(EvaluationRow), evaluations)


if __name__ == "__main__":
    sys.exit(main())
