"""200 short trials by 4 workers under random kill -9, on SQLite and on PostgreSQL."""

import collections
import os
import random
import signal
import sys
import time
from pathlib import Path

import psutil
from optuna.trial import TrialState
from sqlalchemy import text

from nas.study import claims
from nas.study.records import State
from nas.study.study import Study
from nas.study.upkeep import KEPT, check
from tests.torture.common import databases, expect, folder, opened, say, search, workers

TRIALS = int(os.environ.get("TRIALS", 200))
TRIALS_A_KILL = 7


def main() -> None:
    """Run it on both databases, or on the one named."""
    with folder() as where, databases(where) as addresses:
        for kind, address in addresses.items():
            if len(sys.argv) < 2 or sys.argv[1].lower() == kind.lower():
                torture(kind, address, where / kind)


def torture(kind: str, address: str, where: Path) -> None:
    """Kill workers, and once the search itself, until the trials are done; then look at what is there."""
    where.mkdir()
    say(f"{kind}: {TRIALS} trials, 4 workers, a kill -9 every {TRIALS_A_KILL} trials")
    generator, begun = random.Random(0), time.monotonic()
    options = ("--trials", str(TRIALS), "--workers", "4", "--lease", "10")
    process = search(address, where, *options)
    kills, restarted = 0, False
    with opened(address, where) as study:
        while process.poll() is None:
            time.sleep(generator.uniform(0.05, 0.5))
            complete = claims.underway(study)[0]
            if complete >= (kills + 1) * TRIALS_A_KILL:
                alive = workers(process)
                if alive:
                    kill(generator.choice(alive))
                    kills += 1
            if complete >= TRIALS // 2 and not restarted:
                restarted = True
                for each in [psutil.Process(process.pid), *workers(process)]:
                    kill(each)
                    kills += 1
                process.wait()
                say(f"  {complete} done: the search and all its workers killed, the same command given again")
                process = search(address, where, *options)
        say(f"  {time.monotonic() - begun:.0f} s, {kills} kills, the search ended with exit code {process.returncode}")
        if process.returncode:
            say((where / "search.log").read_text()[-3000:])
        judge(study, kills)


def kill(process: psutil.Process) -> None:
    """As power cuts do."""
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return


def judge(study: Study, kills: int) -> None:
    """Nothing lost, nothing twice, nothing left running, and Optuna says the same."""
    found = study.evaluations()
    states = collections.Counter(str(each.state) for each in found)
    claimed = collections.Counter(each.claim for each in found if each.state is State.COMPLETE)
    say(f"  evaluations {dict(states)}; complete ones by number of claims {dict(sorted(claimed.items()))}")
    done = [each for each in found if each.state is State.COMPLETE]
    expect(f"at least 20 kills: {kills}", kills >= min(20, TRIALS // TRIALS_A_KILL))
    expect(f"{TRIALS} finished", len(done) == TRIALS)
    expect("all of different networks", len({each.digest for each in done}) == TRIALS)
    expect("no trial left running or waiting", not states["running"] and not states["waiting"])
    told = {trial.number: trial for trial in study.optuna_study().trials}
    expect("none left running in Optuna", all(trial.state.is_finished() for trial in told.values()))
    images = {each.trial: (told[each.trial].state, told[each.trial].value) for each in done}
    for each in done:
        if images[each.trial] != (TrialState.COMPLETE, each.dice):
            say(f"  trial {each.trial}, worker {each.worker_id}: {each.dice} here, {images[each.trial]} in Optuna")
    expect("Optuna has the same results", all(images[e.trial] == (TrialState.COMPLETE, e.dice) for e in done))
    extra = [
        trial
        for trial in told.values()
        if trial.state is TrialState.COMPLETE and trial.number not in {each.trial for each in found}
    ]
    say(f"  {len(extra)} of Optuna's results have no row here (proposals of known networks, killed in between)")
    with study.storage.engine.connect() as connection:
        sums = connection.execute(
            text("SELECT count(*) FROM nas_measurement WHERE metric = 'dice' AND class_index = -1 AND case_name = ''")
        ).scalar()
        expect("one final Dice for each, not two", sums == TRIALS)
    best = sorted(done, key=lambda each: (-(each.dice or 0), each.id))[:KEPT]
    expect(f"the weights of the best {KEPT}, unchanged", all(study.artifact(e.id, "weights").is_file() for e in best))
    for fault in check(study):
        say(f"  nas studies check: {fault.what}")
    check(study, repair=True)
    expect("nothing that nas studies check --repair leaves", not check(study))


if __name__ == "__main__":
    main()
