"""What the process does with memory that tensors leave: kept for the next step, given back after a training."""

import ctypes
import gc
import sys

import torch

_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
"""Of glibc's mallopt, as in malloc.h."""
_LARGE = 2**30
"""Bytes up to which pieces are taken from, and kept in, the process's own heap."""


def keep_freed() -> None:
    """Keep on the CPU what a step frees for the next one, until `release`.

    Otherwise glibc hands each large tensor back to the system and gets fresh pages for the next, one fault a page.
    """
    change = _glibc("mallopt")
    if change is not None:
        change(_MMAP_THRESHOLD, _LARGE)
        change(_TRIM_THRESHOLD, _LARGE)


def release(device: torch.device) -> None:
    """Give memory back that nothing uses any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif (trim := _glibc("malloc_trim")) is not None:
        trim(0)  # glibc keeps what was freed between pieces still in use: tens of megabytes more with each network


def _glibc(name: str) -> "ctypes._NamedFuncPointer | None":
    """A function of glibc, where the system has it."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
