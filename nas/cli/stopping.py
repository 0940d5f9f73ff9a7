"""What a scheduler's signals do to a command."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from nas.cli.output import ERR

if TYPE_CHECKING:
    from nas.cli.progress import Display

STOPPED = 143
"""The exit code of a worker that was told to stop."""


def stop_on(*signals: signal.Signals) -> None:
    """Let signals end the command as Ctrl-C does: what is in hand is given back."""
    for number in signals:
        signal.signal(number, _stop)


@contextmanager
def resumable(display: "Display") -> Iterator[None]:
    """Say, where this is stopped, that the same command goes on from here."""
    try:
        yield
    except KeyboardInterrupt:
        display.stop()
        ERR.print("\nStopped. Everything finished is kept; the same command goes on from here.")
        raise


def _stop(number: int, frame: FrameType | None) -> None:
    # Once: while the trial is given back, further ones are ignored.
    for ignored in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        signal.signal(ignored, signal.SIG_IGN)
    raise KeyboardInterrupt
