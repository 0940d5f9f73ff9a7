"""What several workers on one machine share: processor cores, memory, time."""

from dataclasses import replace

import torch

from nas.data import available_processes
from nas.searching.settings import SearchSettings
from nas.searching.setup.loading import usable_memory


def threads_each(slots: tuple[str | None, ...]) -> int:
    """How many processor cores each worker may use, so that together they use all and no more."""
    return max(available_processes() // len(slots), 1)


def share_threads(settings: SearchSettings) -> None:
    """Time and train with the cores of one worker, where there are several."""
    if settings.workers > 1:
        torch.set_num_threads(threads_each(settings.slots))


def shared(settings: SearchSettings) -> SearchSettings:
    """The settings as one worker's plan sees them: with its part of the memory."""
    if settings.workers == 1:
        return settings
    memory = settings.max_memory or memory_each(settings.slots)
    return replace(settings, max_memory=memory)


def memory_each(slots: tuple[str | None, ...]) -> int:
    """Bytes that one of the workers may use on the device that most of them share."""
    sharing = max(slots.count(slot) for slot in slots)
    first = slots[0] or ("cuda" if torch.cuda.is_available() else "cpu")
    return round(usable_memory(torch.device(first)) / sharing)
