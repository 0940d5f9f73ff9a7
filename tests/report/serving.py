"""optuna-dashboard on a database, as `nas dashboard` starts it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.study.server import free_port

ROOT = Path(__file__).parents[2]


@contextmanager
def dashboard(database: Path) -> Iterator[str]:
    """Its address; it answers a few seconds later."""
    port = free_port()
    command = [sys.executable, "-m", "nas.cli", "dashboard", "--storage", str(database), "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()
