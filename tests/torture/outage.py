"""The database server stopped and started again during a search: workers wait and go on."""

import sys
import time

import optuna

from nas.study.history import State
from tests.torture.common import complete, expect, folder, opened, postgres, say, search, underway

TRIALS = 24
OUTAGES = ("fast", "immediate")
AWAY = 8.0
"""Seconds that the server is away, each time."""


def main() -> None:
    """Stop the server twice, once as an administrator does and once as a crash does."""
    with folder() as where, postgres() as server:
        process = search(server.url, where, "--trials", str(TRIALS), "--workers", "2", "--lease", "10")
        with opened(server.url, where) as study:
            for number, mode in enumerate(OUTAGES, 1):
                while complete(study) < number * TRIALS // 4:
                    time.sleep(0.2)
                server.stop(mode)
                say(f"server stopped ({mode}) for {AWAY:.0f} s")
                time.sleep(AWAY)
                server.start()
            code = process.wait()
            say(f"the search ended with exit code {code}")
            if code:
                say((where / "search.log").read_text()[-3000:])
            history = study.history()
            done = history.in_state(State.COMPLETE)
            expect("the search ended well", code == 0)
            expect(f"{TRIALS} different networks", len(done) == len({trial.digest for trial in done}) == TRIALS)
            expect("nothing left over", underway(study) == 0)
            expect("no worker was given up for it", sum(trial.failures for trial in history.trials) == 0)
            told = optuna.load_study(study_name=study.name, storage=study.storage.optuna).trials
            expect("Optuna says the same", all(trial.state.is_finished() for trial in told))
            expect("of as many trials", len(told) == len(history.trials))


if __name__ == "__main__":
    sys.exit(main())
