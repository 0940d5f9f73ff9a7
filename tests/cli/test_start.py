"""What the command sets up before anything else is loaded."""

import os
import subprocess
import sys

import pytest

START = """
import os, sys
from nas.cli import main

sys.argv = ["nas", "spaces", "list"]
try:
    main()
except SystemExit:
    print(os.environ.get("GOMP_SPINCOUNT"))
"""


@pytest.mark.parametrize(
    ("given", "spins"),
    [({}, "2000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "None")],
    ids=["nothing", "a count", "a policy"],
)
def test_threads_soon_sleep_unless_the_user_says_otherwise(given: dict[str, str], spins: str) -> None:
    """Two processes with threads that never sleep wait for each other on the same cores."""
    plain = {name: value for name, value in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    run = subprocess.run([sys.executable, "-c", START], env=plain | given, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == spins
