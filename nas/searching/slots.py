"""What several workers on one machine share: processor cores, memory, time."""

import os
from dataclasses import replace

from nas.searching.settings import SearchSettings

_MOST_OF_MEMORY = 0.7


def threads_each(slots: tuple[str | None, ...]) -> int:
    """How many processor cores each worker may use, so that together they use all and no more."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no such call
        cores = os.cpu_count() or 1
    return max(cores // len(slots), 1)


def share_threads(settings: SearchSettings) -> None:
    """Time and train with the cores of one worker, where there are several."""
    import torch

    if settings.workers > 1:
        torch.set_num_threads(threads_each(settings.slots))


def shared(settings: SearchSettings) -> SearchSettings:
    """The settings as one worker's plan sees them: its part of the memory, and the time of all of them together."""
    if settings.workers == 1:
        return settings
    memory = settings.max_memory or _free_memory(settings.slots)
    return replace(settings, max_memory=memory, budget=f"{settings.seconds * settings.workers:.0f}s")


def _free_memory(slots: tuple[str | None, ...]) -> int:
    """Bytes that one of the workers may use on the device that most of them share."""
    import psutil
    import torch

    sharing = max(slots.count(slot) for slot in slots)
    first = slots[0] or ("cuda" if torch.cuda.is_available() else "cpu")
    free = torch.cuda.mem_get_info(first)[0] if first.startswith("cuda") else psutil.virtual_memory().available
    return round(free * _MOST_OF_MEMORY / sharing)
