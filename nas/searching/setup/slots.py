"""What several workers on one machine share: processor cores, memory, time."""

from dataclasses import replace

import torch

from nas.data import available_processes
from nas.network.device import pick_device
from nas.searching.schedule import FINALISTS, Schedule
from nas.searching.settings import SearchSettings
from nas.searching.setup.loading import usable_memory

_WORTH_WORKERS = 300.0
"""Seconds of a search from which on it pays to start further processes, which takes seconds."""


def with_workers(settings: SearchSettings, stored: Schedule | None = None) -> SearchSettings:
    """The settings with a number of workers: on a CPU that many trainings share, as many as there are finalists.

    Two trainings that have half of the cores each make more steps together than one after the other on all cores.

    Args:
        settings: of the search.
        stored: the schedule that a study was begun with, which goes on as it began.
    """
    if settings.workers is not None or settings.engine != "local":
        return settings
    if stored is not None:
        return replace(settings, workers=min(stored.workers, available_processes()))
    by_time = "steps" not in settings.wishes and settings.seconds >= _WORTH_WORKERS
    several = by_time and settings.schedule(settings.seconds).survivors[0] > FINALISTS
    if not several or settings.devices is not None or pick_device(settings.device).type != "cpu":
        return replace(settings, workers=1)
    return replace(settings, workers=min(FINALISTS, available_processes()))


def threads_each(slots: tuple[str | None, ...]) -> int:
    """How many processor cores each worker may use, so that together they use all and no more."""
    return max(available_processes() // len(slots), 1)


def share_threads(settings: SearchSettings) -> None:
    """Time and train with the cores of one worker, where there are several."""
    if settings.at_once > 1:
        torch.set_num_threads(threads_each(settings.slots))


def shared(settings: SearchSettings) -> SearchSettings:
    """The settings as one worker's plan sees them: with its part of the memory."""
    if settings.at_once == 1:
        return settings
    memory = settings.max_memory or memory_each(settings.slots)
    return replace(settings, max_memory=memory)


def memory_each(slots: tuple[str | None, ...]) -> int:
    """Bytes that one of the workers may use on the device that most of them share."""
    sharing = max(slots.count(slot) for slot in slots)
    first = slots[0] or ("cuda" if torch.cuda.is_available() else "cpu")
    return round(usable_memory(torch.device(first)) / sharing)
