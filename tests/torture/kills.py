"""200 short trials by 4 workers under random kill -9, on SQLite and on PostgreSQL."""

import collections
import os
import random
import signal
import sys
import time
from pathlib import Path

import optuna
import psutil
from optuna.trial import TrialState
from sqlalchemy import text

from nas.searching.loop import KEPT
from nas.study.history import State
from nas.study.objective import ranked
from nas.study.sql.study import SqlStudy
from nas.study.upkeep.checking import check
from tests.torture.common import complete, databases, expect, folder, opened, say, search, workers

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
            done = complete(study)
            if done >= (kills + 1) * TRIALS_A_KILL:
                alive = workers(process)
                if alive:
                    kill(generator.choice(alive))
                    kills += 1
            if done >= TRIALS // 2 and not restarted:
                restarted = True
                for each in [psutil.Process(process.pid), *workers(process)]:
                    kill(each)
                    kills += 1
                process.wait()
                say(f"  {done} done: the search and all its workers killed, the same command given again")
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


def judge(study: SqlStudy, kills: int) -> None:
    """Nothing lost, nothing twice, nothing left running, and Optuna says the same."""
    history = study.history()
    states = collections.Counter(str(trial.state) for trial in history.trials)
    done = history.in_state(State.COMPLETE)
    claimed = collections.Counter(run.claim for trial in done for run in trial.runs)
    say(f"  trials {dict(states)}; complete ones by number of claims {dict(sorted(claimed.items()))}")
    expect(f"at least 20 kills: {kills}", kills >= min(20, TRIALS // TRIALS_A_KILL))
    expect(f"{TRIALS} finished", len(done) == TRIALS)
    expect("all of different networks", len({trial.digest for trial in done}) == TRIALS)
    expect("no trial left running or waiting", not states["running"] and not states["waiting"])
    numbers = [trial.number for trial in history.trials]
    expect("numbered without a gap", numbers == list(range(len(numbers))))
    told = optuna.load_study(study_name=study.name, storage=study.storage.optuna).trials
    expect("none left running in Optuna", all(trial.state.is_finished() for trial in told))
    expect("Optuna has the same trials", [trial.number for trial in told] == numbers)
    for trial in done:
        image = told[trial.number]
        if (image.state, image.value) != (TrialState.COMPLETE, trial.values["dice"]):
            say(f"  trial {trial.number}: {trial.values} here, {image.state} {image.value} in Optuna")
    same = all((told[t.number].state, told[t.number].value) == (TrialState.COMPLETE, t.values["dice"]) for t in done)
    expect("Optuna has the same results", same)
    others = {trial.number for trial in told if trial.state is TrialState.COMPLETE}
    others -= {trial.number for trial in history.in_state(State.COMPLETE, State.INFEASIBLE, State.DIVERGED)}
    expect("Optuna has no result that is not here", not others)
    with study.storage.engine.connect() as connection:
        sums = connection.execute(
            text("SELECT count(*) FROM nas_measurement WHERE metric = 'dice' AND class_index = -1 AND case_name = ''")
        ).scalar()
        expect("one final Dice for each, not two", sums == TRIALS)
    best = [trial.runs[0].id for trial in ranked(history, study.settings.goals)[:KEPT]]
    expect(f"the weights of the best {KEPT}, unchanged", all(study.file(run, "weights").is_file() for run in best))
    for fault in check(study):
        say(f"  nas studies check: {fault.what}")
    check(study, repair=True)
    expect("nothing that nas studies check --repair leaves", not check(study))


if __name__ == "__main__":
    main()
