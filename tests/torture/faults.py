"""No room left during a checkpoint, a checkpoint cut in half, a poisoned artifact, two searches at one moment."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from nas.errors import InputError
from nas.study.history import Result, State
from nas.study.protocol import CHECKPOINT
from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import open_storage
from tests.study.conftest import SETTINGS
from tests.study.runs import started
from tests.torture.common import SMALL, STUDY, expect, folder, opened, say

LIMIT = 64 * 1024
FULL = f"""
import signal, resource
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from nas.study.sql.storage import open_storage
from nas.study.sql.opening import open_study
from nas.study.protocol import CHECKPOINT, Claim
from nas.errors import InputError
import sys, shutil
with open_storage(sys.argv[1], artifacts=sys.argv[2]) as storage:
    study = open_study(storage, {SETTINGS.name!r})
    resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, {LIMIT}))
    try:
        study.keep(Claim(int(sys.argv[3]), 1), CHECKPOINT, Path(sys.argv[4]))
    except InputError as error:
        print(error)
"""


def main() -> None:
    """One after the other."""
    with folder() as where:
        checkpoints(where)
    with folder() as where:
        two_searches(where)


def checkpoints(where: Path) -> None:
    """What happens to a trial whose checkpoint cannot be written, or is not what was written."""
    shared = Path("/dev/shm")  # another file system, so that the file is copied, not renamed
    with open_storage(where / "nas.db", artifacts=where / "artifacts") as storage:
        study = create_or_resume(storage, SETTINGS)
        with study.at_work("cpu", lease=60) as worker:
            claim = started(study, worker, None)
            first = where / "first.safetensors"
            first.write_bytes(b"first" * 100)
            study.keep(claim, CHECKPOINT, first)
            if shared.is_dir():
                large = shared / f"nas-{os.getpid()}.safetensors"
                large.write_bytes(os.urandom(LIMIT * 4))
                arguments = [str(where / "nas.db"), str(where / "artifacts"), str(claim.run), str(large)]
                told = subprocess.run(
                    [sys.executable, "-c", FULL, *arguments], capture_output=True, text=True, check=False
                )
                large.unlink(missing_ok=True)
                say(f"no room: {told.stdout.strip() or told.stderr.strip()[-500:]}")
                expect("said in a sentence", "cannot be kept" in told.stdout)
                kept = study.checkpoint(claim)
                expect("the checkpoint before is whole", kept is not None and kept.read_bytes() == b"first" * 100)
            kept = study.checkpoint(claim)
            assert kept is not None
            kept.write_bytes(kept.read_bytes()[:200])
            expect("a checkpoint cut in half is not used", study.checkpoint(claim) is None)
            weights = where / "weights.safetensors"
            weights.write_bytes(b"weights")
            study.keep(claim, "weights", weights)
            study.file(claim.run, "weights").write_bytes(b"poison!")
            try:
                study.file(claim.run, "weights")
            except InputError as error:
                say(f"poisoned: {error}")
                expect("a poisoned artifact is refused", "has changed" in str(error))
            else:
                expect("a poisoned artifact is refused", False)
            study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.5}))


def two_searches(where: Path) -> None:
    """The same command twice at one moment."""
    environment = os.environ | {"NAS_STORAGE": str(where / "nas.db")}
    command = [sys.executable, "-m", "nas.cli", "search", *SMALL, "--trials", "12", "--json"]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in "ab"]
    said = [json.loads(each.communicate()[0])["distinct"] for each in both]
    with opened(str(where / "nas.db"), where) as study:
        history = study.history()
        done = history.in_state(State.COMPLETE)
        by = {run.worker for trial in done for run in trial.runs}
        say(f"two searches at one moment, study {STUDY}: {len(done)} networks by {len(by)} workers")
        expect("12 different networks, counted alike by both", said == [12, 12] and len({t.digest for t in done}) == 12)
        expect("both have worked", len(by) == 2)
        published = [trial.reference for trial in history.published]
        expect("one of each published network", len(set(published)) == len(published))


if __name__ == "__main__":
    assert resource.RLIM_INFINITY
    sys.exit(main())
