"""Being told to stop, at a moment that suits: between two steps, when everything can be put on disk."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

_STOPS = ("SIGINT", "SIGTERM", "SIGUSR1")
"""Ctrl-C, and what schedulers send before they take a machine away."""


@dataclass
class Stop:
    """Whether somebody has asked to stop."""

    asked: bool = False


@contextmanager
def deferred() -> Iterator[Stop]:
    """Note requests to stop instead of obeying at once; a second one is obeyed at once. Ends with obeying the first.

    In a thread other than the main one, which hears no signals, requests are obeyed where they arrive.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    numbers = [getattr(signal, name) for name in _STOPS if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers if callable(signal.getsignal(number))}

    def note(number: int, frame: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True

    for number in before:
        signal.signal(number, note)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if stop.asked:
        raise KeyboardInterrupt
