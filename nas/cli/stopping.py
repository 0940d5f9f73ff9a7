"""What a scheduler's signals do to a command."""

import signal
from types import FrameType

STOPPED = 143
"""The exit code of a worker that was told to stop."""


def stop_on(*signals: signal.Signals) -> None:
    """Let signals end the command as Ctrl-C does: what is in hand is given back."""
    for number in signals:
        signal.signal(number, _stop)


def _stop(number: int, frame: FrameType | None) -> None:
    # Once: while the trial is given back, further ones are ignored.
    for ignored in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT):
        signal.signal(ignored, signal.SIG_IGN)
    raise KeyboardInterrupt
