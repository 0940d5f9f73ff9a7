"""What a search pays for being looked at: workers that write to SQLite, alone and beside optuna-dashboard under load.

    python -m tests.benchmarks.dashboard

Browsers ask the dashboard for a study every ten seconds; here several ask every second. Both ways are taken in turn.
"""

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from statistics import median
from threading import Event
from urllib.error import URLError
from urllib.request import urlopen

from nas.study.history import State
from nas.study.sql.opening import create_or_resume, open_study
from nas.study.sql.storage import open_storage
from tests.benchmarks.measuring import show
from tests.report.serving import dashboard
from tests.study.conftest import SETTINGS
from tests.torture.common import folder
from tests.torture.writers import TRIALS, write

WORKERS, BROWSERS, ROUNDS = 2, 4, 3


def main() -> None:
    """Print what a trial takes a worker beside its training, both ways, and how fast the dashboard answers."""
    with folder() as where:
        address = f"sqlite:///{where / 'nas.db'}"
        with open_storage(address) as storage:
            create_or_resume(storage, SETTINGS)
        write(address, 0)
        seconds: dict[str, list[float]] = {"alone": [], "beside the dashboard": []}
        answers: list[float] = []
        with dashboard(where / "nas.db") as server:
            place = _study(f"{server}/api/studies")
            for number in range(ROUNDS):
                seconds["alone"] += trials_of(address, 1 + 2 * number * WORKERS)
                with looked_at(place, answers):
                    seconds["beside the dashboard"] += trials_of(address, 1 + (2 * number + 1) * WORKERS)
        with open_storage(address) as storage:
            complete = open_study(storage, SETTINGS.name).counts()[1][State.COMPLETE]
    wanted = (1 + 2 * ROUNDS * WORKERS) * TRIALS
    rows = [(way, f"{1000 * median(times):.0f}", f"{1000 * max(times):.0f}") for way, times in seconds.items()]
    told = f"{BROWSERS} browsers were answered {len(answers)} times, after {1000 * median(answers):.0f} ms"
    title = f"{WORKERS} workers, {complete} of {wanted} trials complete; {told}"
    show(title, ("workers", "ms a trial", "most"), rows)
    sys.exit(complete != wanted)


def trials_of(address: str, first: int) -> list[float]:
    """Seconds that trials took each worker, training aside."""
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as processes:
        return list(processes.map(write, [address] * WORKERS, range(first, first + WORKERS)))


def _study(place: str) -> str:
    for _ in range(120):
        try:
            with urlopen(place) as answer:
                return f"{place}/{json.load(answer)['study_summaries'][0]['study_id']}"
        except URLError:
            time.sleep(0.5)
    raise SystemExit("the dashboard does not answer")


@contextmanager
def looked_at(place: str, answers: list[float]) -> Iterator[None]:
    """Several browsers that ask for all of a study every second."""
    ended = Event()

    def ask() -> None:
        while not ended.is_set():
            began = time.monotonic()
            with urlopen(f"{place}?after=0") as answer:
                answer.read()
            answers.append(time.monotonic() - began)
            ended.wait(1.0)

    with ThreadPoolExecutor(BROWSERS) as browsers:
        asking = [browsers.submit(ask) for _ in range(BROWSERS)]
        try:
            yield
        finally:
            ended.set()
    for one in asking:
        one.result()


if __name__ == "__main__":
    main()
