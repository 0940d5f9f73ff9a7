"""One function on many items, several of them at once where that pays, with results in the items' order."""

import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

from nas.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    function: Callable[[Item], Result], items: Sequence[Item], processes: int, threads: int = 1
) -> Iterator[Result]:
    """The function's result for every item, in their order; in this process where `processes` is 1.

    Threads start at once, but share one interpreter: they pay for what NumPy, zlib and the like do. As many items as
    there are processes or threads are in work at once, so that memory is bounded.

    The function and what it holds are sent to each process once. Processes are spawned, so that they hold nothing of
    this one: a script that asks for several needs `if __name__ == "__main__":`, as always with spawned processes.

    Raises:
        InputError: a process was ended from outside, as happens when memory runs out. What the function raises.
    """
    if min(processes, len(items)) <= 1:
        yield from _in_threads(function, items, threads) if threads > 1 else map(function, items)
        return
    pool = ProcessPoolExecutor(min(processes, len(items)), get_context("spawn"), _keep, (function,))
    try:
        yield from pool.map(_call, items)
    except BrokenProcessPool as error:
        raise InputError(
            f"one of {processes} processes was ended, probably because memory ran out; use fewer of them (--processes)"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_threads(function: Callable[[Item], Result], items: Sequence[Item], threads: int) -> Iterator[Result]:
    running: deque[Future[Result]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            if len(running) == threads:
                yield running.popleft().result()
            running.append(pool.submit(function, item))
        while running:
            yield running.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_kept: list[Callable[[Any], Any]] = []


def _keep(function: Callable[[Any], Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first process ends the others
    _kept.append(function)


def _call(item: Any) -> Any:
    return _kept[0](item)
