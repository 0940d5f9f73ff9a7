"""What a study stands on: prepared data, task, plan and candidates; laid when it begins, found again ever after."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from nas.architecture import EncoderDecoder
from nas.data import Dataset, Fingerprint, Holdout, PreparedDataset, Preprocessing, choose_holdout, plan_preprocessing
from nas.errors import InputError, field_named
from nas.graph import Graph, Task, trace
from nas.network import Network
from nas.searching.candidates import Candidates, candidates_of
from nas.searching.events import Listener, Note
from nas.searching.pretrained import PRETRAINED, Pretrained, names_in
from nas.searching.references import alone, rungs_that_fit
from nas.searching.settings import SearchSettings
from nas.searching.setup.fitting import fitted_patches, make_plan
from nas.searching.setup.loading import HOLDOUT, Fold, held_out, load_fold, prepared, sliced
from nas.searching.setup.resolution import bearable
from nas.searching.setup.search_plan import SearchPlan
from nas.searching.setup.slots import shared
from nas.space import Space
from nas.study.history import Document
from nas.study.settings import StudySettings
from nas.training import Recipe, Sample, Validation, plan_dimensions, validate


@dataclass(frozen=True)
class Ground:
    """All that trials need to know, free of the study they are kept in.

    `full_size` is whether published networks enter as they are;
    `reference` is the one published network that is trained, so many `rungs` narrower; None where many are. `slices` is
    the number of neighbours of each slice where volumes are trained on slice by slice. `holdout` says which cases are
    put aside, of which none is among `cases`; `pretrained` where the weights lie that recipes name.
    """

    candidates: Candidates
    task: Task
    plan: SearchPlan
    preprocessing: Preprocessing
    cases: Fold
    reference: str | None
    rungs: int
    slices: int | None
    fold: int = 0
    full_size: bool = False
    holdout: Holdout = Holdout()
    pretrained: Pretrained = field(default_factory=Pretrained)

    def segmented(
        self,
        network: Network | Sequence[Network],
        recipe: Recipe,
        cases: Sequence[Sample],
        *,
        briefly: bool = False,
        **options: Any,
    ) -> Validation:
        """Cases as the study sees them: through its window, averaged over mirrored ones where the recipe says so.

        Args:
            network: one, or several whose probabilities are averaged.
            recipe: by which it is trained.
            cases: whole ones.
            briefly: as before the last rung, in less time: through another window, never mirrored.
            options: further arguments of `nas.training.validate`.
        """
        return validate(
            network,
            cases,
            window=self.plan.brief_window if briefly and self.plan.brief_window else self.plan.window,
            targets=self.cases.targets,
            mirrored=() if briefly else recipe.averaged_axes(self.task.axes),
            **options,
        )

    def plan_document(self) -> Document:
        """What a study keeps of it beside space, task and recipe, as JSON."""
        return self.plan.to_json() | {
            "preprocessing": self.preprocessing.to_json(),
            "reference": self.reference,
            "rungs": self.rungs,
            "slices": self.slices,
            "full_size": self.full_size,
            HOLDOUT: self.holdout.to_json(),
            **({PRETRAINED: dict(self.pretrained.places)} if self.pretrained.places else {}),
        }


def lay_ground(
    settings: SearchSettings,
    space: Space[EncoderDecoder],
    dataset: Dataset,
    fingerprint: Fingerprint,
    device: torch.device,
    listener: Listener,
    *,
    began: float,
) -> Ground:
    """Plan a new study: preprocessing, patch and strides from the data, length and limits from device and budget.

    `began` is when the search did, on the steady clock: all that is done since counts towards the budget.
    """
    holdout = _put_aside(settings, dataset, listener)
    preprocessing = plan_preprocessing(fingerprint)
    if "steps" not in settings.wishes:
        each = settings.schedule(settings.seconds).length
        preprocessing, factor = bearable(preprocessing, dataset, fingerprint, device.type, each)
        if factor > 1:
            spacing = "x".join(f"{step:.3g}" for step in preprocessing.spacing)
            listener(
                Note(
                    f"plan: the budget is short for full resolution; networks see voxels of {spacing} mm, and "
                    "what they find is put back on the images' own"
                )
            )
    data = prepared(dataset, preprocessing, settings.cache, listener).without(holdout.cases)
    neighbours = _neighbours(settings.dimensions, data)
    seen, slicing = sliced(data, neighbours)
    cases = load_fold(data, seen, slicing, settings.fold, device)
    task, batch = fitted_patches(settings, space, seen, cases, device)
    listener(Note(f"timing {device_name(device)} for a few seconds"))
    plan = make_plan(shared(settings), space, task, batch, cases, device, began=began)
    pretrained = Pretrained(settings.weights)
    rungs = _rungs(settings, space, task, plan, pretrained)
    if settings.reference is not None:
        space = alone(space, settings.reference, rungs)
    pretrained.expect_use(plan.recipe, space, task)
    return Ground(
        candidates_of(space, plan.recipe),
        task,
        plan,
        preprocessing,
        cases,
        settings.reference,
        rungs,
        neighbours,
        settings.fold,
        settings.full_size,
        holdout,
        pretrained,
    )


def find_ground(
    stored: StudySettings,
    space: Space[EncoderDecoder],
    dataset: Dataset,
    cache: str,
    device: torch.device,
    listener: Listener,
) -> Ground:
    """What a study was laid on, from its settings; the space comes from the user, never from the database."""
    ground = bare_ground(stored, space)
    data = prepared(dataset, ground.preprocessing, cache, listener).without(ground.holdout.cases)
    return replace(ground, cases=load_fold(data, *sliced(data, ground.slices), stored.fold, device))


def bare_ground(stored: StudySettings, space: Space[EncoderDecoder]) -> Ground:
    """What a study was laid on, but for the cases."""
    kept: dict[str, Any] = stored.plan
    plan = SearchPlan.from_json(stored.recipe, kept)
    reference, rungs = kept["reference"], kept["rungs"]
    if reference is not None:
        space = alone(space, reference, rungs)
    return Ground(
        candidates_of(space, plan.recipe),
        Task.from_json(stored.task),
        plan,
        Preprocessing.from_json(kept["preprocessing"]),
        Fold((), ()),
        reference,
        rungs,
        kept["slices"],
        stored.fold,
        kept.get("full_size", False),
        held_out(stored),
        Pretrained(kept.get(PRETRAINED) or {}),
    )


def _put_aside(settings: SearchSettings, dataset: Dataset, listener: Listener) -> Holdout:
    """Choose what is put aside, before anything else is."""
    holdout = choose_holdout({case.name: case.group or case.name for case in dataset.cases}, settings.holdout)
    if holdout.cases:
        listener(
            Note(
                f"plan: {len(holdout.cases)} of {len(dataset.cases)} cases are put aside to confirm what is found; the "
                "search never opens them (none with --holdout 0)"
            )
        )
    return holdout


def dimensions_of(axes: int, neighbours: int | None) -> str:
    """How many dimensions networks of so many axes see, in the words of the settings."""
    return str(axes) if not neighbours else "2.5"


def _neighbours(dimensions: str, data: PreparedDataset) -> int | None:
    """How many neighbours each slice of a volume has as channels; None where cases are trained on as they are."""
    if data.axes == 2:
        if dimensions not in ("auto", "2"):
            raise InputError(f"{field_named('dimensions')}: found {dimensions}, but {data.name} is 2D; leave it out")
        return None
    if dimensions == "auto":
        dimensions = plan_dimensions(data)
    return {"2": 0, "2.5": 1, "3": None}[dimensions]


def device_name(device: torch.device) -> str:
    """The device in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"the CPU ({torch.get_num_threads()} threads)"


def _rungs(
    settings: SearchSettings, space: Space[EncoderDecoder], task: Task, plan: SearchPlan, pretrained: Pretrained
) -> int:
    """How many rungs narrower the one network of the search is made; 0 where it searches many."""
    if settings.reference is None or settings.full_size:
        return 0
    if settings.slim is not None:
        return settings.slim
    published = alone(space, settings.reference, 0)
    plan = plan.decided(candidates_of(published, plan.recipe).typical_recipe)
    if names_in(plan.recipe):
        return _as_published(settings, trace(published.template, task), plan, pretrained)
    rungs = rungs_that_fit(published.template, task, plan.fits)
    if rungs is None:
        raise InputError(
            f"{field_named('reference')}: {settings.reference!r} fits the budget at no width; give a longer "
            f"{field_named('budget')}, fewer {field_named('trials')}, or {field_named('full_size')}"
        )
    return rungs


def _as_published(settings: SearchSettings, graph: Graph, plan: SearchPlan, pretrained: Pretrained) -> int:
    """No rungs narrower, as weights fit the network as it was published alone."""
    problem = plan.reason(graph)
    if problem is not None and pretrained.fits(plan.recipe, graph):
        raise InputError(
            f"{field_named('reference')}: {settings.reference!r} can begin with {plan.recipe.pretrained} only at its "
            f"full width: {problem}; give a longer {field_named('budget')}, or {field_named('full_size')}"
        )
    return 0
