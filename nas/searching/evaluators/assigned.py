"""The evaluator of runs beside a search: any fold, the held-out cases, or all cases, to a length of their own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from nas.clock import SYSTEM, Clock
from nas.searching.candidates import candidates_of
from nas.searching.evaluators import Beginning, Description, Recorder, Training
from nas.searching.evaluators.trained import TrainedEvaluator
from nas.searching.setup.folds import Folds
from nas.searching.setup.ground import Ground
from nas.searching.setup.search_plan import SearchPlan
from nas.study.history import Document, Result, recipe_path
from nas.study.objective import DICE, Objective
from nas.training import Recipe


@dataclass(frozen=True)
class AssignedEvaluator:
    """Trains as the search does, on the cases of each run.

    Args:
        ground: of the study, without cases.
        folds: which has them.
        device: where to train.
        seconds: of each training; None where the recipe says its steps.
        clock: tells when a checkpoint is due.
        objectives: what runs are scored by.
    """

    ground: Ground
    folds: Folds
    device: torch.device
    seconds: float | None
    clock: Clock = SYSTEM
    objectives: Sequence[Objective] = DICE

    def describe(self, decisions: Document) -> Description:
        """Digest, cost and limits, as the search sees them."""
        return TrainedEvaluator(self.ground, self.device).describe(decisions)

    def run(self, training: Training, beginning: Beginning, recorder: Recorder) -> Result:
        """Train to full length, and score."""
        ground = self._of_length(self.ground)
        cases = self.folds.of(training.key)
        plan, window = ground.plan, ground.plan.window
        if window is not None:
            plan = replace(plan, positions=window.positions(cases.validation, ground.task))
        there = replace(ground, cases=cases, fold=training.key.fold, plan=plan)
        decisions = {path: value for path, value in training.decisions.items() if path not in self._settled}
        evaluator = TrainedEvaluator(there, self.device, (1.0,), self.clock, self.objectives)
        return evaluator.run(replace(training, decisions=decisions), beginning, recorder)

    def _of_length(self, ground: Ground) -> Ground:
        """Trainings of so many seconds where that is wished, whatever number of steps the recipe says."""
        if self.seconds is None:
            return ground
        recipe = replace(ground.plan.recipe, steps=None)
        plan: SearchPlan = replace(ground.plan, recipe=recipe, seconds_each=self.seconds)
        return replace(ground, plan=plan, candidates=candidates_of(ground.candidates.architectures, recipe))

    @property
    def _settled(self) -> frozenset[str]:
        """Decisions that a length of its own takes the place of."""
        return frozenset() if self.seconds is None else frozenset({recipe_path("steps")})


def full_length(recipe: dict[str, Any], plan: Document) -> float | None:
    """The seconds of a study's trainings at full length; None where its recipe says the steps."""
    return plan.get("seconds_each") if Recipe.from_json(recipe).steps is None else None
