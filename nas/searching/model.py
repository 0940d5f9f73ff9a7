"""A network of a study as a trained model."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nas.data import Preprocessing, Region
from nas.model import TrainedModel
from nas.model.suspicion import MEASURED
from nas.network import StepPlan
from nas.searching.opened import weights_header
from nas.searching.pretrained import PRETRAINED
from nas.study.history import Split
from nas.study.looks import held_out
from nas.study.protocol import WEIGHTS
from nas.training import Recipe, Slicing, Window

if TYPE_CHECKING:
    from nas.searching.opened import TrainedNetwork


def trained_model(network: "TrainedNetwork") -> TrainedModel:
    """All that is needed to segment images with a network of a study.

    Raises:
        InputError: its weights are missing or have changed.
    """
    settings = network.study.settings
    fingerprint, plan = settings.data_fingerprint, settings.plan
    classes = [entry["name"] for entry in fingerprint["classes"]]
    preprocessing = Preprocessing.from_json(plan["preprocessing"])
    recipe, run = Recipe.from_json(network.recipe), network.run
    header = weights_header(network.study.file(run.id, WEIGHTS))
    if PRETRAINED not in header:  # what its recipe named did not fit it
        recipe = replace(recipe, pretrained=None)
    if run.steps is not None:  # by the clock, or in an assignment of another length, it made so many
        recipe = replace(recipe, steps=run.steps)
    return TrainedModel(
        graph=network.graph,
        states=(network.module().state_dict(),),
        preprocessing=preprocessing,
        channels=tuple(entry["name"] for entry in fingerprint["channels"]),
        classes=tuple(classes),
        recipe=recipe,
        regions=tuple(
            Region(entry["name"], tuple(classes.index(name) for name in entry["classes"]))
            for entry in fingerprint.get("regions", ())
        ),
        slicing=_slicing(plan.get("slices"), preprocessing.spacing),
        window=None if plan.get("window") is None else Window.from_json(plan["window"]),
        plan=_plan(header),
        provenance=_provenance(network) | {name: header[name] for name in (PRETRAINED,) if name in header},
    )


def _plan(header: Mapping[str, Any]) -> StepPlan:
    """How the network was run, which stands in the header of its weights."""
    plan = header.get("step_plan")
    return StepPlan(channels_last=True) if plan is None else StepPlan.from_json(plan)


def _slicing(neighbours: int | None, spacing: tuple[float, ...]) -> Slicing | None:
    """Across the thickest axis, as the search cuts volumes."""
    if neighbours is None:
        return None
    return Slicing(max(range(3), key=lambda axis: (spacing[axis], axis)), neighbours)


def _provenance(network: "TrainedNetwork") -> dict[str, Any]:
    settings, trial, run = network.study.settings, network.trial, network.run
    return {
        "study": settings.name,
        "trial": trial.number,
        "reference": trial.reference,
        "data": settings.data,
        "data_digest": settings.data_digest,
        "cases": settings.data_fingerprint["cases"],
        "held_out": held_out(network.study),
        MEASURED: settings.data_fingerprint.get("measured", True),
        "synthetic": settings.synthetic,
        **({} if run.key.split is Split.ALL else {"fold": run.key.fold}),
        "split": str(run.key.split),
        "seed": run.key.seed,
        **run.values,
        "objective": settings.objective,
        "architecture": network.document,
        "target_dice": {name: None if value != value else value for name, value in network.target_dice.items()},
        "seconds": run.seconds,
        "device": run.device,
        "versions": dict(settings.versions),
    }
