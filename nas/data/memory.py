"""How much this process may hold, and the refusal of what would be more, before it is tried."""

import resource
from collections.abc import Sequence
from functools import cache
from math import prod
from pathlib import Path

from nas.errors import InputError

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@cache
def memory_limit() -> int:
    """Bytes that this process may hold at most: the machine's, or less where a container or a shell sets less."""
    import psutil

    limits = [psutil.virtual_memory().total, resource.getrlimit(resource.RLIMIT_AS)[0]]
    for path in map(Path, _LIMITS):
        text = path.read_text().strip() if path.is_file() else ""
        limits.append(int(text) if text.isdecimal() else -1)
    return min(limit for limit in limits if limit > 0)


def expect_memory(path: Path, shape: Sequence[int]) -> None:
    """Refuse an image that cannot be held as float32, before the machine tries and is lost in its swap space.

    Raises:
        InputError: it is larger than the memory.
    """
    needed = 4 * prod(int(size) for size in shape)
    if needed > memory_limit():
        raise InputError(
            f"{path}: shape {tuple(int(size) for size in shape)} takes {gibibytes(needed)}, more than this machine's "
            f"{gibibytes(memory_limit())} of memory; crop or resample it, or correct the header if it is wrong"
        )


def gibibytes(size: float) -> str:
    """An amount of memory in words."""
    return f"{size / 2**30:.1f} GiB"
