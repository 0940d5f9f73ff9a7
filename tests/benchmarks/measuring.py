"""Side-by-side timing: two or more ways of doing the same, in turn, so that a busy machine slows all alike."""

import platform
import time
from collections.abc import Callable, Mapping

import torch
from rich.console import Console
from rich.table import Table

from nas.data import check, open_dataset, plan_preprocessing, prepare_dataset
from nas.training import Sample, sample_of

HIPPOCAMPUS = "Task04_Hippocampus"


def rates(ways: Mapping[str, Callable[[], object]], *, rounds: int, each: int = 1) -> dict[str, float]:
    """Calls a second of each way, by the fastest of `rounds` rounds of `each` calls; the first round is not counted."""
    best = dict.fromkeys(ways, float("inf"))
    for number in range(rounds + 1):
        for name, call in ways.items():
            start = time.perf_counter()
            for _ in range(each):
                call()
            seconds = (time.perf_counter() - start) / each
            if number:
                best[name] = min(best[name], seconds)
    return {name: 1 / seconds for name, seconds in best.items()}


def samples(folder: str, most: int | None = None) -> tuple[Sample, ...]:
    """The training cases of fold 0 of a data set, prepared, in memory."""
    dataset = open_dataset(folder)
    data = prepare_dataset(dataset, plan_preprocessing(check(dataset)))
    names = data.split(0).training[:most]
    cases = [case for case in data.cases if case.name in names]
    return tuple(sample_of(case, torch.device("cpu")) for case in cases)


def show(title: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print a table, with the machine it was made on."""
    table = Table(*columns, title=title, caption=f"{processor()}, {torch.get_num_threads()} threads")
    for row in rows:
        table.add_row(*row)
    Console(width=110).print(table)


def processor() -> str:
    """The processor by name and its number of cores, as Linux knows it; elsewhere, what Python knows."""
    import os

    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"
