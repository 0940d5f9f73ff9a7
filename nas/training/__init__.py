"""Training one network by a recipe, and measuring it on whole cases."""

from nas.training.augmentation import Augmentation
from nas.training.checkpoints import CheckpointError, read_checkpoint
from nas.training.loop import DivergedError, Epoch, NotLearningError, Trained, train
from nas.training.patches import FEWEST_SLICES, plan_batch, plan_dimensions, plan_task
from nas.training.recipe import Recipe
from nas.training.recipes import StudyRecipe, load_recipe, recipe_names
from nas.training.samples import Sample, Slicing, sample_of, samples_of
from nas.training.step import OutOfMemoryError
from nas.training.targets import EACH_CLASS, Targets
from nas.training.validation import Validation, validate
from nas.training.windows import Window, largest_image

__all__ = [
    "EACH_CLASS",
    "FEWEST_SLICES",
    "Augmentation",
    "CheckpointError",
    "DivergedError",
    "Epoch",
    "NotLearningError",
    "OutOfMemoryError",
    "Recipe",
    "Sample",
    "Slicing",
    "StudyRecipe",
    "Targets",
    "Trained",
    "Validation",
    "Window",
    "largest_image",
    "load_recipe",
    "plan_batch",
    "plan_dimensions",
    "plan_task",
    "read_checkpoint",
    "recipe_names",
    "sample_of",
    "samples_of",
    "train",
    "validate",
]
