"""The search: from settings to a study full of results."""

import os
import platform
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from nas.architecture import EncoderDecoder
from nas.catalog import load_space
from nas.clock import SYSTEM
from nas.data import DataOptions, Dataset, Fingerprint, open_dataset, read_options
from nas.errors import InputError, field_named
from nas.network.device import pick_device
from nas.searching.afterwards.together import score_together
from nas.searching.candidates import Candidates
from nas.searching.distributions import distributions
from nas.searching.engines import start_workers
from nas.searching.events import Listener, Note, Opened, silent
from nas.searching.lessons import SHARE, expect_same_space, lessons, study_names
from nas.searching.loop import work
from nas.searching.opened import OpenedStudy
from nas.searching.pretrained import PRETRAINED
from nas.searching.schedule import Schedule
from nas.searching.settings import SearchSettings
from nas.searching.setup.fitting import announce, describe_plan, describe_recipe, with_wishes
from nas.searching.setup.ground import Ground, device_name, dimensions_of, find_ground, lay_ground
from nas.searching.setup.loading import OPTIONS, checked_data, expect_same_data, expect_same_holdout, options_of
from nas.searching.setup.slots import share_threads, with_workers
from nas.searching.trackers import expect_trackers, tracked
from nas.searching.worker import INHERIT, LESSONS, prepared_search, published_entries
from nas.space import Space
from nas.study.files.artifacts import check_name
from nas.study.history import Document, State
from nas.study.objective import read_objectives
from nas.study.optuna import project
from nas.study.settings import StudySettings
from nas.study.sql.opening import create_or_resume, find_study, open_study
from nas.study.sql.storage import Storage, open_storage
from nas.study.sql.study import SqlStudy
from nas.study.upkeep.widening import is_widened, widen
from nas.training import Recipe

_VERSIONS = ("nas", "torch", "optuna", "monai")


def search(
    settings: SearchSettings | None = None,
    /,
    *,
    listener: Listener = silent,
    began: float | None = None,
    **fields: Any,
) -> OpenedStudy:
    """Search a space for the network that does best on a data set, or go on with a search begun before.

    Args:
        settings: what to search; or give its fields by name, `search(space="tiny", trials=3)`.
        listener: hears what happens (see `nas.searching.events`).
        began: when the budget began to run, on the steady clock; by default now.
        fields: fields of `SearchSettings`.

    Returns:
        The study; `.best.module()` is the best network, trained.

    Raises:
        InputError: settings, data, space or storage cannot be used, or the study exists with others.
        KeyboardInterrupt: stopped; all that was finished is kept, and the same call goes on.
    """
    began = SYSTEM.steady() if began is None else began
    settings = _settled(replace(settings, **fields) if settings is not None else SearchSettings.of(**fields))
    expect_trackers(settings)
    if "onnx_latency" in settings.objective:
        from nas.export.formats.onnx import expect_packages

        expect_packages()
    device = pick_device(settings.slots[0])
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):  # the caller's chance is theirs
        return _searched(settings, device, listener, began)


def _searched(settings: SearchSettings, device: torch.device, listener: Listener, began: float) -> OpenedStudy:
    space = load_space(settings.space)
    settings = _of_one_network(settings, space)
    options = read_options(settings.groups, settings.labels or (), settings.layout, settings.splits)
    dataset = open_dataset(settings.data, options)
    if dataset.synthetic:
        listener(Note(f"data: {dataset.name}, {dataset.origin}. For your own: --data FOLDER"))
    fingerprint = checked_data(dataset, listener)
    for warning in fingerprint.warnings:
        listener(Note(f"warning: {warning}"))
    name = settings.study or study_name(settings, space, dataset)
    check_name("study name", name)
    storage = open_storage(settings.storage, artifacts=settings.artifacts)
    if settings.learn_from and settings.reference is None:
        _past(storage, settings, space.digest())  # before anything takes long
    stored = find_study(storage, name)
    settings = with_workers(settings, None if stored is None else Schedule.of(stored.settings.plan))
    share_threads(settings)
    if stored is not None and options == DataOptions() != options_of(stored.settings):
        options = options_of(stored.settings)  # as the study was begun, where nothing is said now
        dataset = open_dataset(settings.data, options)
        fingerprint = checked_data(dataset, listener)
    if stored is None:
        ground = lay_ground(settings, space, dataset, fingerprint, device, listener, began=began)
    else:
        expect_same_data(stored.settings, fingerprint)
        stored_settings = _with_wishes(stored.settings, settings)
        ground = find_ground(stored_settings, space, dataset, settings.cache, device, listener)
    study_settings = _study_settings(name, settings, dataset, options, fingerprint, ground, device)
    if stored is not None:
        _widened(stored, study_settings, ground.candidates)
    study = create_or_resume(storage, study_settings)
    if stored is not None:
        listener(Note(f"study {name!r}: going on after {stored.counts()[1][State.COMPLETE]} finished trials"))
    with tracked(study, settings, listener) as heard:
        _train(study, settings, _lengthened(ground, settings) if stored else ground, device, heard)
    return OpenedStudy(open_study(storage, name))  # with what was kept of it meanwhile


def _lengthened(ground: Ground, settings: SearchSettings) -> Ground:
    """The ground with as much time as the study is given now, where that is more than it was begun with.

    How long each training is stays as it was, so that what was trained compares with what is to come.
    """
    schedule = ground.plan.schedule
    if schedule is None or settings.budget is None:
        return ground
    return replace(ground, plan=replace(ground.plan, schedule=schedule.given(settings.seconds)))


def _train(study: SqlStudy, settings: SearchSettings, ground: Ground, device: torch.device, listener: Listener) -> None:
    """Work on the study, here or by starting workers, until as many networks are trained as are wanted."""
    typical = ground.candidates.typical_recipe
    for note in [*describe_plan(ground.plan, typical, ground.task, settings), *describe_recipe(ground.candidates)]:
        listener(note)
    schedule = ground.plan.schedule
    changes = {
        "strategy": settings.strategy,
        "schedule": None if schedule is None else schedule.to_json(),
        LESSONS: _lessons(study, settings, ground, listener) if settings.learn_from else None,
        PRETRAINED: dict(ground.pretrained.places) or None,  # where they lie may have changed
    }
    study.want(settings.wanted, {name: value for name, value in changes.items() if value is not None})
    study = open_study(study.storage, study.name)  # with its time as it is now
    listener(Opened(study, settings.wanted))
    entered, left_out = published_entries(ground, settings.wanted)
    tried = {trial.reference for trial in study.history().published if trial.state is not State.FAILED}
    announce([entry for entry in entered if entry.name not in tried], left_out, listener)
    if settings.at_once > 1 or settings.engine != "local":
        start_workers(study, settings, listener)
    else:
        search = prepared_search(study, ground, device, settings.wanted, listener)
        work(search, device=str(device), lease=settings.lease)
    if schedule is not None and len(schedule.rungs) > 1:
        score_together(open_study(study.storage, study.name), ground, device)


def _past(storage: Storage, settings: SearchSettings, digest: str) -> list[SqlStudy]:
    """The earlier studies that the search is to learn from.

    Raises:
        InputError: there is no such study, or it is of another space.
    """
    studies = [open_study(storage, name) for name in study_names(settings.learn_from or "")]
    for study in studies:
        expect_same_space(study.settings, digest, settings.space)
    return studies


def _lessons(study: SqlStudy, settings: SearchSettings, ground: Ground, listener: Listener) -> list[Document]:
    """What earlier studies have taught, so many that time is left for what is new."""
    candidates, schedule = ground.candidates, ground.plan.schedule
    past = _past(study.storage, settings, candidates.architectures.digest())
    room = settings.wanted if schedule is None else min(settings.wanted, schedule.survivors[0])
    chosen = lessons([(one.history(), one.settings.goals) for one in past], candidates, max(room // SHARE, 1))
    names = ", ".join(one.name for one in past)
    listener(Note(f"learnt from {names}: {len(chosen)} of their best networks come after the published ones"))
    return chosen


def _settled(settings: SearchSettings) -> SearchSettings:
    """The settings, with one trial where one network is trained by a recipe that leaves nothing open."""
    single = settings.reference is not None and _is_closed(settings)
    return replace(settings, trials=1) if single else settings


def _of_one_network(settings: SearchSettings, space: Space[EncoderDecoder]) -> SearchSettings:
    """The same for a space of one network, as of an imported plan, which is trained as it is."""
    if settings.reference is not None or space.size() != 1:
        return settings
    return replace(settings, full_size=True, trials=1 if _is_closed(settings) else settings.trials)


def _is_closed(settings: SearchSettings) -> bool:
    """Whether the recipe leaves nothing open."""
    return Space("recipe", with_wishes(Recipe(), settings)).size() == 1


def _with_wishes(stored: StudySettings, settings: SearchSettings) -> StudySettings:
    """A study's settings with what the user asks for now; where results would not compare, it is refused."""
    dimensions = None if settings.dimensions == "auto" else settings.dimensions
    kept_dimensions = dimensions_of(stored.task["axes"], stored.plan["slices"])
    for name, wished, kept in (
        ("reference", settings.reference, stored.plan["reference"]),
        ("dimensions", dimensions, kept_dimensions),
    ):
        if wished is not None and wished != kept:
            raise InputError(
                f"{field_named(name)}: found {wished!r}, but study {stored.name!r} was made with {kept!r}; "
                "leave it out, or give "
                f"another {field_named('study')}"
            )
    expect_same_holdout(stored, settings.holdout)
    recipe = with_wishes(Recipe.from_json(stored.recipe), settings)
    patch = {} if settings.patch is None else {"patch": list(settings.patch)}
    places = {**stored.plan.get(PRETRAINED, {}), **settings.weights}
    return replace(
        stored,
        recipe=recipe.to_json(),
        plan=stored.plan | ({PRETRAINED: places} if places else {}),
        task=stored.task | patch,
        fold=settings.fold,
    )


def _study_settings(
    name: str,
    settings: SearchSettings,
    dataset: Dataset,
    options: DataOptions,
    fingerprint: Fingerprint,
    ground: Ground,
    device: torch.device,
) -> StudySettings:
    space = ground.candidates.architectures
    asked = {
        "budget": settings.time,
        "trials": settings.wanted,
        OPTIONS: options.to_json(),
        INHERIT: settings.inherit,
    }
    return StudySettings(
        name=name,
        space=space.name,
        space_document=space.document(),
        space_digest=space.digest(),
        data=dataset.name,
        data_fingerprint=fingerprint.to_json(),
        data_digest=fingerprint.digest,
        synthetic=dataset.synthetic,
        task=ground.task.to_json(),
        recipe=ground.plan.recipe.to_json(),
        plan=ground.plan_document() | asked,
        seed=settings.seed,
        versions={"python": platform.python_version()} | {package: version(package) for package in _VERSIONS},
        device=device_name(device),
        data_source=None if settings.data is None else os.path.abspath(settings.data),
        fold=settings.fold,
        rungs=list(ground.plan.rungs),
        objectives=[objective.to_json() for objective in read_objectives(settings.objective)],
    )


def study_name(settings: SearchSettings, space: Space[EncoderDecoder], dataset: Dataset) -> str:
    """The name of a study for which the user chose none: of the recipe, if there is one, or the space, and the data."""
    searched = space.name if settings.recipe is None else Path(settings.recipe).stem
    parts = [searched, *([settings.reference] if settings.reference else []), dataset.name]
    return "-".join("-".join(_safe(part).split()) for part in parts)


def _widened(stored: SqlStudy, study_settings: StudySettings, candidates: Candidates) -> None:
    """Make the space of a study wider where the one given holds all of it and more; old trials stay valid."""
    if stored.settings.space_digest != study_settings.space_digest and is_widened(
        stored.settings.space_document, study_settings.space_document
    ):
        widen(stored, study_settings, candidates.read_again)
        project(stored, lambda decisions: distributions(candidates, decisions), afresh=True)


def _safe(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else " " for letter in text)
