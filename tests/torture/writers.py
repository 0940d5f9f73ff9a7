"""32 processes writing to one SQLite study, 64 to PostgreSQL: no error, no lost write."""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from optuna.distributions import IntDistribution

from nas.study import claims, mirror
from nas.study.opening import create_or_resume, open_study
from nas.study.records import ArchitectureRecord, Claim, Measurement, Proposal, State
from nas.study.storage import open_storage
from nas.study.workers import at_work
from tests.study.conftest import SETTINGS
from tests.torture.common import databases, expect, folder, say

WRITERS = {"SQLite": 32, "PostgreSQL": 64}
TRIALS = 5
EPOCHS = 5
WIDTH = {"width": IntDistribution(1, 10_000)}


def write(address: str, writer: int) -> float:
    """Finish some trials as a search does, training aside; return the seconds that each took."""
    with open_storage(address) as storage:
        study = open_study(storage, SETTINGS.name)
        with at_work(study, "cpu", lease=60) as worker:
            begun = time.monotonic()
            for number in range(TRIALS):
                digest = f"{writer} {number}"
                study.record_architecture(ArchitectureRecord(digest, {}, {}, 1, 1, 1))
                proposal = Proposal(decisions={"width": writer * TRIALS + number + 1}, digest=digest)
                trial = mirror.make(study, proposal, WIDTH, worker.id)
                claim = claims.begin(study, worker.id, trial, proposal, wanted=10**6, device="cpu")
                assert isinstance(claim, Claim)
                holding = study.holding(claim)
                for epoch in range(EPOCHS):
                    holding.measure(claim.evaluation, [Measurement(epoch, "loss", 1.0 / (epoch + 1))])
                claims.end(study, claim, State.COMPLETE, dice=0.5)
                mirror.tell(study, study.evaluation(claim.evaluation))
            return (time.monotonic() - begun) / TRIALS


def main() -> None:
    """Let many write at once; count what is there."""
    with folder() as where, databases(where, max_connections=300) as addresses:
        for kind, address in addresses.items():
            writers = WRITERS[kind]
            with open_storage(address) as storage:
                study = create_or_resume(storage, SETTINGS)
                study.optuna_study()
                alone = write(address, writers)
                begun = time.monotonic()
                context = get_context("forkserver")
                context.set_forkserver_preload([__name__])
                with ProcessPoolExecutor(writers, context) as processes:
                    seconds = list(processes.map(write, [address] * writers, range(writers)))
                took = time.monotonic() - begun
                each = sum(seconds) / len(seconds)
                say(
                    f"{kind}: {writers} processes, {TRIALS} trials each, in {took:.1f} s: {each * 1000:.0f} ms a trial "
                    f"for each of them, {alone * 1000:.0f} ms for one alone"
                )
                wanted = (writers + 1) * TRIALS
                expect(f"{wanted} complete", study.counts().complete == wanted)
                trials = study.optuna_study().trials
                expect(
                    f"{wanted} told to Optuna, numbered without a gap",
                    [trial.number for trial in trials if trial.state.is_finished()] == list(range(wanted)),
                )
                lost = [e for e in study.evaluations() if len(study.learning_curve(e.id)) != EPOCHS]
                expect(f"{wanted * EPOCHS} measurements", not lost)


if __name__ == "__main__":
    sys.exit(main())
