"""Waiting for a database server that went away, instead of losing hours of training to it."""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from nas.study.failures import UnreachableError

PATIENCE_SECONDS = 900.0
"""How long a server may be away before a worker gives up."""
LONGEST_PAUSE = 5.0

P = ParamSpec("P")
R = TypeVar("R")


def patiently(transaction: Callable[P, R]) -> Callable[P, R]:
    """Repeat a transaction until the server is back.

    A server may die after it committed and before it said so: what is wrapped in this must do no harm done twice.

    Raises:
        UnreachableError: the server stayed away for `PATIENCE_SECONDS`.
    """

    @functools.wraps(transaction)
    def repeated(*arguments: P.args, **options: P.kwargs) -> R:
        give_up = time.monotonic() + PATIENCE_SECONDS
        pause = 0.1
        while True:
            try:
                return transaction(*arguments, **options)
            except UnreachableError:
                if time.monotonic() + pause > give_up:
                    raise
            time.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 2, LONGEST_PAUSE)

    return repeated
