"""The command line: one thin file a group of commands, each parsing, calling one function and printing."""

import os
import sys
import time

from nas.errors import InputError

STARTED = time.monotonic()
"""When the command began: loading torch takes seconds, which count towards a budget."""
_SPINS = "2000"
"""How often a thread of torch looks for work before it sleeps. GNU OpenMP's own number, many thousands of times more,
makes two processes on the same cores wait for each other: a step takes tens of times as long."""


def main() -> None:
    """Run `nas`. What the user can mend ends with its message alone and exit code 2; Ctrl-C ends with 130."""
    if "OMP_WAIT_POLICY" not in os.environ:  # read once, as torch is loaded; the workers inherit it
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)
    from nas.cli.app import app
    from nas.cli.output import complain

    try:
        app()
    except InputError as error:
        complain(error.for_the_command_line)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
