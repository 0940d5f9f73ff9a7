"""Two Ray nodes, one killed: the search ends complete."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import psutil

from nas.study.history import State
from tests.study.server import free_port
from tests.torture.common import complete, expect, folder, opened, postgres, say, search, underway

TRIALS = int(os.environ.get("TRIALS", 30))
RAY = str(Path(sys.executable).parent / "ray")


def start(*arguments: str) -> "subprocess.Popen[bytes]":
    """A Ray node that lives as long as its process."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [
        RAY,
        "start",
        "--block",
        "--disable-usage-stats",
        "--num-cpus",
        "2",
        "--object-store-memory",
        str(100 * 2**20),
        *arguments,
    ]
    return subprocess.Popen(command, start_new_session=True, **quiet)  # type: ignore[call-overload, no-any-return]


def kill(node: "subprocess.Popen[bytes]") -> int:
    """Kill a node and all that runs on it, at once; return how many processes that were."""
    everything = [*psutil.Process(node.pid).children(recursive=True), psutil.Process(node.pid)]
    for each in everything:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    node.wait()
    return len(everything)


@contextmanager
def cluster(
    where: Path, patience: float = 120
) -> Iterator[tuple[str, "subprocess.Popen[bytes]", "subprocess.Popen[bytes]"]]:
    """A head and a second node on loopback, each of two cores: the address, and both nodes."""
    port = free_port()
    address, here = f"127.0.0.1:{port}", ("--node-ip-address", "127.0.0.1")
    kept = ("--port", str(port), "--include-dashboard", "false", "--temp-dir", str(where / "ray"))
    with patch.dict(os.environ, RAY_AUTH_MODE="token"):  # `ray start` asks for one, which nobody gives unless told so
        nodes = [start("--head", *here, *kept)]
        try:
            joined(address, 1, patience)
            nodes.append(start("--address", address, *here))
            joined(address, 2, patience)
            yield address, *nodes
        finally:
            for node in nodes:
                if node.poll() is None:
                    kill(node)


def joined(address: str, nodes: int, patience: float) -> None:
    """Wait until a cluster has so many nodes."""
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up:
        said = subprocess.run([RAY, "status", "--address", address], capture_output=True, text=True, check=False)
        if said.stdout.count(" node_") == nodes:
            return
        time.sleep(0.5)
    raise TimeoutError(f"Ray's cluster has not reached {nodes} nodes: {said.stdout}{said.stderr}")


def on_ray(database: str, where: Path, address: str, trials: int, workers: int = 4) -> "subprocess.Popen[bytes]":
    """A search by several workers on a cluster."""
    options = ("--trials", str(trials), "--workers", str(workers), "--lease", "15")
    return search(database, where, *options, "--engine", "ray", "--ray-address", address)


def main() -> None:
    """Four workers on two nodes, PostgreSQL; the second node is killed halfway."""
    with folder() as where, postgres() as server, cluster(where) as (address, _, second):
        process = on_ray(server.url, where, address, TRIALS)
        with opened(server.url, where) as study:
            while complete(study) < TRIALS // 3 and process.poll() is None:
                time.sleep(0.3)
            say(f"{complete(study)} done; second node killed with {kill(second)} processes")
            code = process.wait()
            if code:
                say((where / "search.log").read_text()[-3000:])
            done = study.history().in_state(State.COMPLETE)
            runs = [run for trial in done for run in trial.runs]
            again = sum(run.claim > 1 for run in runs)
            say(f"{len({run.worker for run in runs})} workers finished trials, {again} were taken up again")
            expect("the search ended well", code == 0)
            expect(f"{TRIALS} different networks", len({trial.digest for trial in done}) == len(done) == TRIALS)
            expect("nothing left over", underway(study) == 0)


if __name__ == "__main__":
    sys.exit(main())
