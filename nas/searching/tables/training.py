"""One training of a table: the network trained as the recipe says, looked at on its way, and scored at the end."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean

import torch

from nas.data import Fingerprint, Preprocessing
from nas.graph import Graph, Task
from nas.network import Network, StepPlan, build
from nas.network.running import default_plan
from nas.searching.candidates import Candidates, graph_of
from nas.searching.setup.loading import Fold
from nas.searching.tables.table import Row, Scores
from nas.study.history import Document, State
from nas.training import DivergedError, Epoch, Recipe, Sample, Window, read_checkpoint, train, validate
from nas.training.checkpoints import restore
from nas.training.loop import Write
from nas.training.step import Stepper


@dataclass(frozen=True)
class Workshop:
    """All that the trainings of a table share. `rungs` are shares of a training, the last one 1."""

    candidates: Candidates
    task: Task
    preprocessing: Preprocessing
    cases: Fold
    fingerprint: Fingerprint
    rungs: tuple[float, ...]
    looked_at: int

    @property
    def few(self) -> Sequence[Sample]:
        """The cases that are segmented at each rung, spread over all."""
        validation = self.cases.validation
        return validation[:: max(len(validation) // self.looked_at, 1)][: self.looked_at]


def trained_row(shop: Workshop, number: int, decisions: Document, reference: str | None, seed: int) -> Row:
    """Train a member, and say what came of it."""
    candidate = shop.candidates.decide(decisions)
    graph, reason = graph_of(candidate.architecture, shop.task)
    assert graph is not None, reason
    training = _Training(shop, graph, candidate.recipe, seed)
    try:
        scores = training.scores()
        state, why = State.COMPLETE, None
    except DivergedError as error:
        scores, state, why = (), State.DIVERGED, str(error)
    return Row(
        number=number,
        seed=seed,
        decisions=decisions,
        digest=graph.digest,
        recipe_digest=candidate.recipe.digest,
        parameters=graph.parameters,
        macs=graph.macs,
        reference=reference,
        state=state,
        reason=why,
        training_dice=tuple(mean(epoch.training_dice) for epoch in training.epochs),
        losses=tuple(epoch.loss for epoch in training.epochs),
        looks=tuple(training.looks),
        scores=scores,
        seconds=training.stepping,
        look_seconds=mean(training.looking) if training.looking else 0.0,
        score_seconds=training.scoring,
    )


@dataclass
class _Training:
    """A training on its way, its time in seconds of the processor, so that a busy machine does not matter."""

    shop: Workshop
    graph: Graph
    recipe: Recipe
    seed: int
    epochs: list[Epoch] = field(default_factory=list)
    looks: list[Scores] = field(default_factory=list)
    looking: list[float] = field(default_factory=list)
    stepping: float = 0.0
    scoring: float = 0.0

    def scores(self) -> Scores:
        """Train, and the Dice of all cases. Raises DivergedError."""
        network = build(self.graph, seed=self.seed)
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            train(
                network,
                self.shop.cases.training,
                self.recipe,
                seed=self.seed,
                report=self.epochs.append,
                save=lambda step, done, write: self._looked(done, write, Path(folder) / "checkpoint"),
                targets=self.shop.cases.targets,
            )
        self.stepping = time.process_time() - began - sum(self.looking)
        began = time.process_time()
        scores = self._segmented(network, self.shop.cases.validation)
        self.scoring = time.process_time() - began
        return scores

    def _looked(self, done: float, write: Write, file: Path) -> None:
        if done >= 1 or done < self.shop.rungs[len(self.looks)]:
            return
        began = time.process_time()
        write(file)
        self.looks.append(self._segmented(self._as_it_would_end(file), self.shop.few))
        self.looking.append(time.process_time() - began)

    def _as_it_would_end(self, checkpoint: Path) -> Network:
        """The network that a training which ended here would leave, its weights averaged."""
        network = build(self.graph, seed=self.seed)
        stepper = Stepper(network, self.recipe, default_plan(torch.device("cpu")), self.shop.cases.targets)
        restore(read_checkpoint(checkpoint), stepper, self.seed)
        stepper.finish()
        return network

    def _segmented(self, network: Network, samples: Sequence[Sample]) -> Scores:
        targets = self.shop.cases.targets
        found = validate(network, samples, targets=targets, plan=StepPlan(channels_last=True), window=Window())
        return tuple(values for _, values in found.cases)
