"""Training one network by a recipe, and measuring it on whole cases."""

from nas.training.loop import DivergedError, Epoch, Validation, train, validate
from nas.training.patches import Sample, prepare
from nas.training.plan import plan_task
from nas.training.recipe import Recipe

__all__ = [
    "DivergedError",
    "Epoch",
    "Recipe",
    "Sample",
    "Validation",
    "plan_task",
    "prepare",
    "train",
    "validate",
]
