"""`nas serve-storage`: a server process, and other processes that write and read through it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import optuna
import pytest

from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import open_storage
from tests.study.conftest import SETTINGS
from tests.study.runs import complete, image
from tests.study.server import free_port

pytest.importorskip("grpc", reason="gRPC is not installed: pip install 'nas[serve]'")
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
TRIALS = 8


@pytest.fixture
def storage(tmp_path: Path) -> str:
    """A database with one study, in which Optuna has one trial."""
    address = str(tmp_path / "nas.db")
    with open_storage(address) as opened:
        study = create_or_resume(opened, SETTINGS)
        complete(study, "a", 0.25)
        image(study)
    return address


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(storage: str, port: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "nas.cli", "serve-storage", "--storage", storage, "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def search(port: int) -> tuple[set[int], int]:
    """What another process does: make trials through the server; their numbers, and how many trials it sees."""
    storage = optuna.storages.GrpcStorageProxy(host="127.0.0.1", port=port)
    storage.wait_server_ready(timeout=120)
    study = optuna.load_study(study_name=SETTINGS.name, storage=storage)
    made = set()
    for _ in range(TRIALS):
        trial = study.ask()
        study.tell(trial, trial.suggest_float("dice", 0, 1))
        made.add(trial.number)
    return made, len(study.trials)


def test_two_processes_write_and_read_through_it_until_it_is_told_to_stop(
    server: "subprocess.Popen[str]", storage: str, port: int
) -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:
        (first, seen), (second, seen_too) = processes.map(search, [port, port])
    assert len(first | second) == 2 * TRIALS
    assert max(seen, seen_too) == 2 * TRIALS + 1
    server.send_signal(signal.SIGTERM)
    _, said = server.communicate()
    assert (server.returncode, said.splitlines()[-1]) == (0, "Stopped.")
    with open_storage(storage) as opened:
        trials = optuna.load_study(study_name=SETTINGS.name, storage=opened.optuna).trials
    assert {trial.number for trial in trials} == {0} | first | second
    assert all(trial.params["dice"] == trial.value for trial in trials[1:])


def test_the_dashboard_shows_a_study_by_name(storage: str, port: int) -> None:
    import json
    import time
    from urllib.request import urlopen

    command = [sys.executable, "-m", "nas.cli", "dashboard", SETTINGS.name, "--storage", storage, "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.readline()
            assert f"http://127.0.0.1:{port}/dashboard/studies/1" in said
            for _ in range(600):
                try:
                    studies = json.load(urlopen(f"http://127.0.0.1:{port}/api/studies"))
                    break
                except OSError:
                    time.sleep(0.1)
            assert [study["study_name"] for study in studies["study_summaries"]] == [SETTINGS.name]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def test_a_study_that_nothing_was_shown_of_yet_says_so(tmp_path: Path) -> None:
    address = str(tmp_path / "nas.db")
    with open_storage(address) as opened:
        create_or_resume(opened, SETTINGS)
    command = [sys.executable, "-m", "nas.cli", "dashboard", SETTINGS.name, "--storage", address]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "has no trial yet" in ended.stderr
