"""The search: from settings to a study full of results."""

import os
import platform
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from nas.architecture import EncoderDecoder
from nas.catalog import load_space
from nas.data import Dataset, Preprocessing, check, open_dataset, plan_preprocessing
from nas.errors import InputError
from nas.graph import Task
from nas.searching.bench import Bench
from nas.searching.candidates import Candidates
from nas.searching.engines import start_workers
from nas.searching.events import Listener, Note, Working, silent
from nas.searching.found import FoundStudy
from nas.searching.loading import load_fold, prepared
from nas.searching.plan import Plan
from nas.searching.planning import announce, describe_plan, make_plan, with_wishes
from nas.searching.proposing import distributions
from nas.searching.references import Entry, alone, entries, rungs_that_fit
from nas.searching.settings import SearchSettings
from nas.searching.slots import share_threads, shared
from nas.searching.trial import begin_trial
from nas.searching.working import work
from nas.space import Space
from nas.study.opening import create_or_resume, find_study
from nas.study.records import State, StudySettings
from nas.study.storage import open_storage
from nas.study.study import Study
from nas.study.widening import is_widened, widen
from nas.study.workers import Worker, at_work
from nas.training import plan_task

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
    settings = replace(settings, **fields) if settings is not None else SearchSettings.of(**fields)
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
    name = settings.study or study_name(settings, space, dataset)
    known = find_study(storage, name)
    preprocessing = plan_preprocessing(fingerprint) if known is None else preprocessing_of(known.settings)
    data = prepared(dataset, preprocessing, settings.cache, listener)
    cases = load_fold(data, settings.fold, device)
    if known is None:
        task = plan_task(data, device.type, settings.patch)
        listener(Note(f"timing {device_name(device)} for a few seconds"))
        plan = make_plan(shared(settings), space, task, cases, device)
        rungs = _rungs(settings, space, task, plan)
    else:
        task = Task.from_json(known.settings.task)
        task = task if settings.patch is None else replace(task, patch=settings.patch)
        plan = Plan.from_json(known.settings.recipe, known.settings.plan)
        plan = replace(plan, recipe=with_wishes(plan.recipe, settings))
        rungs = known.settings.plan.get("rungs", 0)
    space = space if settings.reference is None else alone(space, settings.reference, rungs)
    candidates = Candidates(space, Space("recipe", plan.recipe))
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
        plan=plan.to_json()
        | {"preprocessing": preprocessing.to_json(), "budget": settings.budget, "trials": settings.trials}
        | {"reference": settings.reference, "rungs": rungs},
        objective=f"{OBJECTIVE}, fold {settings.fold}",
        seed=settings.seed,
        versions=versions(),
        device=device_name(device),
        data_source=None if settings.data is None else os.path.abspath(settings.data),
        fold=settings.fold,
    )
    if known is not None:
        _widened(known, given, candidates)
    study = create_or_resume(storage, given)
    if known is not None:
        listener(Note(f"study {name!r}: going on after {known.counts().complete} trained networks"))
    for note in describe_plan(plan, candidates.typical_recipe, task, settings):
        listener(note)

    wanted = 1 if candidates.is_single else settings.trials
    study.want(wanted)
    fits = plan.decided(candidates.typical_recipe).fits
    full_size = settings.full_size or settings.reference is not None
    entered, left_out = entries(space, task, fits, full_size=full_size, most=max(wanted // 2, 1))
    announce(entered, left_out, listener)
    bench = Bench(candidates, task, plan, study, cases, device, settings.fold, study.settings.seed, listener)
    if settings.workers > 1 or settings.engine != "local":
        with at_work(study, "starts others", lease=settings.lease) as starter:
            _queue(bench, starter, wanted, entered)
        start_workers(study, settings, listener)
        return FoundStudy(study)
    work(bench, wanted, lease=settings.lease, queue=lambda worker: _queue(bench, worker, wanted, entered))
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


def study_name(settings: SearchSettings, space: Space[EncoderDecoder], dataset: Dataset) -> str:
    """The name of a study for which the user chose none: of the recipe, if there is one, or the space, and the data."""
    searched = space.name if settings.recipe is None else Path(settings.recipe).stem
    parts = [searched, *([settings.reference] if settings.reference else []), dataset.name]
    return "-".join("-".join(_safe(part).split()) for part in parts)


def _widened(known: Study, given: StudySettings, candidates: Candidates) -> None:
    """Make the space of a study wider where the one given holds all of it and more; old trials stay valid."""
    if known.settings.space_digest != given.space_digest and is_widened(
        known.settings.space_document, given.space_document
    ):
        widen(known, given, candidates.read_again, partial(distributions, candidates))


def preprocessing_of(settings: StudySettings) -> Preprocessing:
    """What is done to every case of a study's data."""
    return Preprocessing.from_json(settings.plan["preprocessing"])


def versions() -> dict[str, str]:
    """What results may depend on."""
    return {"python": platform.python_version()} | {name: version(name) for name in ("nas", "torch", "optuna", "monai")}


def _safe(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else " " for letter in text)


def _rungs(settings: SearchSettings, space: Space[EncoderDecoder], task: Task, plan: Plan) -> int:
    """How many steps narrower the one network of the search is made; 0 where it searches many."""
    if settings.reference is None or settings.full_size:
        return 0
    if settings.slim is not None:
        return settings.slim
    member = alone(space, settings.reference, 0).members[0]
    fits = plan.decided(Candidates(space, Space("recipe", plan.recipe)).typical_recipe).fits
    rungs = rungs_that_fit(member.architecture, task, fits)
    if rungs is None:
        raise InputError(
            f"--reference: {member.name!r} fits the budget at no width; give a longer --budget, fewer --trials, "
            "or --full-size"
        )
    return rungs


def _queue(bench: Bench, worker: Worker, wanted: int, entered: Sequence[Entry]) -> None:
    """Make the published networks the next trials, those aside that have been tried or are waiting already."""
    settled = {found.reference for found in bench.study.references() if found.state is not State.FAILED}
    for entry in entered:
        if entry.name not in settled:
            begin_trial(bench, worker, bench.candidates.read(entry.architecture), wanted, entry.name)
