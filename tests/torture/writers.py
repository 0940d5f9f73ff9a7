"""32 processes writing to one SQLite study, 64 to PostgreSQL: no error, no lost write."""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from nas.study.history import Measurement, Result, State
from nas.study.sql.opening import create_or_resume, open_study
from nas.study.sql.storage import open_storage
from tests.study.conftest import SETTINGS
from tests.study.runs import image, started
from tests.torture.common import databases, expect, folder, say

WRITERS = {"SQLite": 32, "PostgreSQL": 64}
TRIALS = 5
EPOCHS = 5


def write(address: str, writer: int) -> float:
    """Finish some trials as a search does, training aside; return the seconds that each took."""
    with open_storage(address) as storage:
        study = open_study(storage, SETTINGS.name)
        with study.at_work("cpu", lease=60) as worker:
            begun = time.monotonic()
            for number in range(TRIALS):
                claim = started(study, worker, f"{writer} {number}", decisions={"width": writer * TRIALS + number + 1})
                image(study)
                for epoch in range(EPOCHS):
                    study.report(claim, [Measurement(epoch, "loss", 1.0 / (epoch + 1))])
                study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.5}))
                image(study)
            return (time.monotonic() - begun) / TRIALS


def main() -> None:
    """Let many write at once; count what is there."""
    with folder() as where, databases(where, max_connections=300) as addresses:
        for kind, address in addresses.items():
            writers = WRITERS[kind]
            with open_storage(address) as storage:
                study = create_or_resume(storage, SETTINGS)
                image(study)
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
                expect(f"{wanted} complete", study.counts()[1][State.COMPLETE] == wanted)
                trials = image(study).trials
                expect(
                    f"{wanted} told to Optuna, numbered without a gap",
                    [trial.number for trial in trials if trial.state.is_finished()] == list(range(wanted)),
                )
                lost = [trial for trial in study.history().trials if len(trial.runs[0].curve) != EPOCHS]
                expect(f"{wanted * EPOCHS} measurements", not lost)


if __name__ == "__main__":
    sys.exit(main())
