"""Making a table: every member of a small space trained, in an order in which any part is a fair sample."""

import json
import platform
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import torch

from nas.catalog import load_space
from nas.data import open_dataset, plan_preprocessing
from nas.errors import InputError, field_named
from nas.graph import Task
from nas.graph.soundness import dead_weight
from nas.searching.candidates import Candidates, candidates_of, graph_of
from nas.searching.events import Listener, Note, silent
from nas.searching.setup.loading import checked_data, load_fold, prepared, sliced
from nas.searching.setup.resolution import coarser
from nas.searching.tables.table import TENTHS, Making, Row, Table, first_line, line_of, read_table
from nas.searching.tables.training import Workshop, trained_row
from nas.space import Space
from nas.space.listing import listed
from nas.study.history import Document
from nas.training import load_recipe, plan_task

RUNGS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Shares of a training after which cases are segmented: every second one are the rungs of a search by time."""
FEW = 8
"""Cases that are segmented at each rung."""
TWICE = 5
"""Of so many members one is trained with a second seed."""
_SEED = 0


@dataclass(frozen=True)
class Order:
    """What a table is to be made of: the study recipe's name or file, and the data."""

    recipe: str
    data: str | None
    coarser: float = 1.0
    cache: str = "runs/cache"


@dataclass(frozen=True)
class Member:
    """A training of the space, by its place in the table."""

    number: int
    decisions: Document
    reference: str | None = None


def make_table(
    order: Order, file: Path, *, processes: int = 1, most: int | None = None, hear: Listener = silent
) -> Table:
    """Train what a table lacks, and write each training as soon as it is done.

    Args:
        order: what to train, on what.
        file: the table; where it exists, it is gone on with.
        processes: how many train at once, each with one thread.
        most: how many trainings at most, for now.
        hear: hears of each.

    Raises:
        InputError: the recipe leaves no table to be made, or the file is another table's.
        KeyboardInterrupt: stopped; what was done is kept.
    """
    shop = open_workshop(order, hear)
    members = all_members(shop.candidates, shop.task)
    making = _making_of(order, shop, len(members))
    known = _begun(file, making)
    waiting = islice((task for task in _trainings(members) if _name(*task) not in known), most)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        try:
            _tend(pool, order, waiting, file, processes, hear)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return read_table(file)


def open_workshop(order: Order, hear: Listener = silent) -> Workshop:
    """Data, task and candidates of a table.

    Raises:
        InputError: the recipe says no space, steps or patch, or does not end each tenth.
    """
    study = load_recipe(order.recipe)
    for name, value in (("space", study.space), ("patch", study.patch), ("recipe steps", study.recipe.steps)):
        if not value:
            raise InputError(f"recipe {study.name!r}: says no {name}, which a table needs; add it")
    if study.recipe.epochs != TENTHS:
        raise InputError(f"recipe {study.name!r}: epochs: found {study.recipe.epochs!r}, expected {TENTHS} for a table")
    space = load_space(study.space or "")
    dataset = open_dataset(order.data)
    fingerprint = checked_data(dataset, hear)
    preprocessing = plan_preprocessing(fingerprint)
    preprocessing = replace(preprocessing, spacing=coarser(preprocessing.spacing, order.coarser))
    data = prepared(dataset, preprocessing, order.cache, hear)
    task = plan_task(data, "cpu", study.patch)
    cases = load_fold(data, *sliced(data, None), 0, torch.device("cpu"))
    return Workshop(candidates_of(space, study.recipe), task, preprocessing, cases, fingerprint, RUNGS, FEW)


def all_members(candidates: Candidates, task: Task) -> list[Member]:
    """Every training of a space that suits a task, each once, in an order that is always the same and means nothing.

    Two that compute the same are one, and what wastes weights on the task's patches is none.

    Raises:
        InputError: it has no end of them.
    """
    published = {graph.digest: name for name, graph in _published(candidates.architectures, task)}
    typical = candidates.typical_recipe.digest
    seen: dict[tuple[str, str], tuple[Document, str | None]] = {}
    for decisions in listed(candidates.decide):
        candidate = candidates.decide(decisions)
        graph, _ = graph_of(candidate.architecture, task)
        if graph is None or dead_weight(graph):
            continue
        name = published.get(graph.digest) if candidate.recipe.digest == typical else None
        seen.setdefault((graph.digest, candidate.recipe.digest), (decisions, name))
    chosen = list(seen.values())
    Random(_SEED).shuffle(chosen)
    return [Member(number, decisions, name) for number, (decisions, name) in enumerate(chosen)]


def _published(space: Space[Any], task: Task) -> Iterator[tuple[str, Any]]:
    for member in space.members:
        graph, _ = graph_of(member.architecture, task)
        if graph is not None:
            yield member.name, graph


def _trainings(members: list[Member]) -> Iterator[tuple[Member, int]]:
    """What is trained, member after member: one of a few twice, so that noise is known as soon as anything is."""
    for member in members:
        yield member, 0
        if member.number % TWICE == 0:
            yield member, 1


def _name(member: Member, seed: int) -> tuple[int, int]:
    return member.number, seed


def _begun(file: Path, making: Making) -> set[tuple[int, int]]:
    """Begin the file, or see what it holds already, its last line cut off where it is not whole."""
    if not file.exists():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(first_line(making), encoding="utf-8")
        except OSError as error:
            raise InputError(
                f"{field_named('to')}: {file} cannot be written ({error.strerror}); name another"
            ) from None
        return set()
    table = read_table(file)
    ours, theirs = json.loads(first_line(making)), json.loads(first_line(table.making))
    other = [name for name in ours if name not in ("command", "versions") and ours[name] != theirs[name]]
    if other:
        raise InputError(
            f"{field_named('to')}: {file} is another table (its {other[0]}: {_short(theirs[other[0]])}, now "
            f"{_short(ours[other[0]])}); name another file"
        )
    text = file.read_text(encoding="utf-8")
    if not text.endswith("\n"):
        whole = file.with_suffix(".part")
        whole.write_text(text[: text.rindex("\n") + 1], encoding="utf-8")
        whole.replace(file)
    return {(row.number, row.seed) for row in table.rows}


def _tend(
    pool: ProcessPoolExecutor,
    order: Order,
    waiting: Iterator[tuple[Member, int]],
    file: Path,
    processes: int,
    hear: Listener,
) -> None:
    running: set[Future[Row]] = set()
    while True:
        running |= {pool.submit(_train, order, *task) for task in islice(waiting, processes - len(running))}
        if not running:
            return
        done, running = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            row = future.result()
            _append(file, line_of(row))
            seconds = row.seconds + row.look_seconds * (len(RUNGS) - 1) + row.score_seconds
            hear(Note(f"member {row.number}, seed {row.seed}: {row.state}, Dice {row.dice:.4f}, {seconds:.1f} s"))


def _append(file: Path, line: str) -> None:
    try:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(line)
    except OSError as error:
        raise InputError(
            f"{field_named('to')}: {file} cannot be written ({error.strerror}); make room there, and give the same "
            "command again: what is done is kept"
        ) from None


@lru_cache(1)
def _prepared(order: Order) -> Workshop:
    """What a process of the pool trains with, prepared once."""
    torch.set_num_threads(1)
    return open_workshop(order)


def _train(order: Order, member: Member, seed: int) -> Row:
    return trained_row(_prepared(order), member.number, member.decisions, member.reference, seed)


def _making_of(order: Order, shop: Workshop, members: int) -> Making:
    space = shop.candidates.architectures
    fingerprint = shop.fingerprint
    scored = [region.name for region in fingerprint.regions] or [item.name for item in fingerprint.classes[1:]]
    return Making(
        study=Path(order.recipe).stem,
        coarser=order.coarser,
        space=space.name,
        space_digest=space.digest(),
        recipe=shop.candidates.recipes.template.to_json(),
        data=fingerprint.name,
        data_digest=fingerprint.digest,
        task=shop.task.to_json(),
        preprocessing=shop.preprocessing.to_json(),
        members=members,
        rungs=shop.rungs,
        cases=tuple(sample.name for sample in shop.cases.validation),
        looked_at=tuple(sample.name for sample in shop.few),
        targets=tuple(scored),
        twice=TWICE,
        command=_command(order),
        versions={"python": platform.python_version(), "machine": platform.processor() or platform.machine()}
        | {package: version(package) for package in ("nas", "torch", "monai")},
    )


def _command(order: Order) -> str:
    coarse = f" --coarser {order.coarser:g}" if order.coarser != 1 else ""
    data = f" --data {Path(order.data).name}" if order.data else ""
    return f"nas tabulate {order.recipe}{data}{coarse}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
