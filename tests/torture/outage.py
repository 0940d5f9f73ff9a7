"""The database server stopped and started again during a search: workers wait and go on."""

import sys
import time

from nas.study import claims
from nas.study.records import State
from tests.torture.common import expect, folder, opened, postgres, say, search

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
                while claims.underway(study)[0] < number * TRIALS // 4:
                    time.sleep(0.2)
                server.stop(mode)
                say(f"server stopped ({mode}) for {AWAY:.0f} s")
                time.sleep(AWAY)
                server.start()
            code = process.wait()
            say(f"the search ended with exit code {code}")
            if code:
                say((where / "search.log").read_text()[-3000:])
            found = study.evaluations(State.COMPLETE)
            expect("the search ended well", code == 0)
            expect(f"{TRIALS} different networks", len(found) == len({each.digest for each in found}) == TRIALS)
            expect("nothing left over", claims.underway(study)[1:] == (0, 0))
            expect("no worker was given up for it", sum(each.failures for each in found) == 0)
            told = study.optuna_study().trials
            expect("Optuna says the same", all(trial.state.is_finished() for trial in told))


if __name__ == "__main__":
    sys.exit(main())
