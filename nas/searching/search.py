"""The search: from settings to a study full of results."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from typing import Any

import torch

from nas.architecture import EncoderDecoder
from nas.catalog import load_space
from nas.data import Dataset, Fingerprint, check, open_dataset, split
from nas.errors import InputError
from nas.graph import Task
from nas.searching.bench import Bench
from nas.searching.engines import start_workers
from nas.searching.events import Listener, Note, Working, silent
from nas.searching.found import FoundStudy
from nas.searching.plan import Plan
from nas.searching.planning import announce, describe_plan, make_plan, with_wishes
from nas.searching.proposing import distributions
from nas.searching.references import Entry, entries
from nas.searching.settings import SearchSettings
from nas.searching.slots import share_threads, shared
from nas.searching.trial import begin_trial
from nas.searching.working import work
from nas.space import Space
from nas.study.opening import create_or_resume, find_study
from nas.study.records import State, StudySettings
from nas.study.storage import Storage, open_storage
from nas.study.study import Study
from nas.study.widening import is_widened, widen
from nas.study.workers import Worker, at_work
from nas.training import Sample, plan_task, prepare

OBJECTIVE = "mean foreground Dice on whole validation cases"


def search(settings: SearchSettings | None = None, /, *, listener: Listener = silent, **fields: Any) -> FoundStudy:
    """Search a space for the network that does best on a data set, or go on with a search begun before.

    Args:
        settings: what to search; or give its fields by name, `search(space="tiny", trials=3)`.
        listener: hears what happens (see `nas.searching.events`).
        fields: fields of `SearchSettings`.

    Returns:
        The study; `.best.module()` is the best network, trained.

    Raises:
        InputError: settings, data, space or storage cannot be used, or the study exists with others.
        KeyboardInterrupt: stopped; all that was finished is kept, and the same call goes on.
    """
    settings = replace(settings, **fields) if settings is not None else SearchSettings(**fields)
    space = load_space(settings.space)
    device = pick_device(settings.slots[0])
    share_threads(settings)
    dataset = open_dataset(settings.data)
    if dataset.synthetic:
        listener(Note(f"data: {dataset.name}, {dataset.origin}. For your own: --data FOLDER"))
    fingerprint = check(dataset, lambda done, total: listener(Working("checking the data", done, total)))
    for warning in fingerprint.warnings:
        listener(Note(f"warning: {warning}"))
    storage = open_storage(settings.storage, artifacts=settings.artifacts)
    training, validation = load_fold(dataset, settings.fold, device, listener)

    name = settings.study or study_name(space, dataset)
    known = find_study(storage, name)
    if known is None:
        task = plan_task(fingerprint, device.type, settings.patch)
        listener(Note(f"timing {device_name(device)} for a few seconds"))
        plan = make_plan(shared(settings), space, task, training, validation, device)
    else:
        task = Task.from_json(known.settings.task)
        task = task if settings.patch is None else replace(task, patch=settings.patch)
        plan = Plan.from_json(known.settings.recipe, known.settings.plan)
        plan = replace(plan, recipe=with_wishes(plan.recipe, settings))
    study = _create(storage, name, settings, space, dataset, fingerprint, task, plan, device)
    if known is not None:
        listener(Note(f"study {name!r}: going on after {known.counts().complete} trained networks"))
    for note in describe_plan(plan, task, settings):
        listener(note)

    study.want(settings.trials)
    most = max(settings.trials // 2, 1)
    entered, left_out = entries(space, task, plan.fits, full_size=settings.full_size, most=most)
    announce(entered, left_out, listener)
    bench = Bench(space, task, plan, study, training, validation, device, settings.fold, study.settings.seed, listener)
    if settings.workers > 1 or settings.engine != "local":
        with at_work(study, "starts others", lease=settings.lease) as starter:
            _queue(bench, starter, settings.trials, entered)
        start_workers(study, settings, listener)
        return FoundStudy(study)
    work(
        bench,
        settings.trials,
        lease=settings.lease,
        queue=lambda worker: _queue(bench, worker, settings.trials, entered),
    )
    return FoundStudy(study)


def pick_device(wanted: str | None) -> torch.device:
    """The device asked for, or a GPU if there is one, else the CPU.

    Raises:
        InputError: it is unknown or not there.
    """
    try:
        device = torch.device(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"--device: found {wanted!r}, expected cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(
            f"--device: {wanted} is not there, torch sees {torch.cuda.device_count()} GPUs; use --device cpu"
        )
    return device


def device_name(device: torch.device) -> str:
    """The device in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"the CPU ({torch.get_num_threads()} threads)"


def study_name(space: Space[EncoderDecoder], dataset: Dataset) -> str:
    """The name of a study for which the user chose none."""
    kept = "".join(letter if letter.isalnum() or letter in "._-" else " " for letter in dataset.name)
    return f"{space.name}-{'-'.join(kept.split())}"


def load_fold(
    dataset: Dataset, fold: int, device: torch.device, listener: Listener
) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """The fold's training and validation cases, normalised and on the device."""
    parts = split([case.name for case in dataset.cases], fold)
    total = len(dataset.cases)

    def loading(before: int) -> Callable[[int, int], None]:
        return lambda done, _: listener(Working("loading the data", before + done, total))

    training = prepare(dataset, parts.training, device, loading(0))
    return training, prepare(dataset, parts.validation, device, loading(len(training)))


def _create(
    storage: Storage,
    name: str,
    settings: SearchSettings,
    space: Space[EncoderDecoder],
    dataset: Dataset,
    fingerprint: Fingerprint,
    task: Task,
    plan: Plan,
    device: torch.device,
) -> Study:
    given = StudySettings(
        name=name,
        space=space.name,
        space_document=space.document(),
        space_digest=space.digest(),
        data=dataset.name,
        data_fingerprint=fingerprint.to_json(),
        data_digest=fingerprint.digest,
        synthetic=dataset.synthetic,
        task=task.to_json(),
        recipe=plan.recipe.to_json(),
        plan=plan.to_json() | {"budget": settings.budget, "trials": settings.trials},
        objective=f"{OBJECTIVE}, fold {settings.fold}",
        seed=settings.seed,
        versions={"python": platform.python_version()} | {n: version(n) for n in ("nas", "torch", "optuna", "monai")},
        device=device_name(device),
        data_source=None if settings.data is None else os.path.abspath(settings.data),
        fold=settings.fold,
    )
    known = find_study(storage, name)
    grown = known is not None and known.settings.space_digest != given.space_digest
    if known is not None and grown and is_widened(known.settings.space_document, given.space_document):
        widen(known, given, lambda document: dict(space.read(document)), partial(distributions, space))
    return create_or_resume(storage, given)


def _queue(bench: Bench, worker: Worker, wanted: int, entered: Sequence[Entry]) -> None:
    """Make the published networks the next trials, those aside that have been tried or are waiting already."""
    settled = {found.reference for found in bench.study.references() if found.state is not State.FAILED}
    for entry in entered:
        if entry.name not in settled:
            begin_trial(bench, worker, dict(bench.space.read(entry.architecture)), wanted, entry.name)
