"""The evaluator of real searches: networks are built, trained on the fold's cases and scored on whole ones."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from nas.architecture import EncoderDecoder
from nas.clock import SYSTEM, Clock
from nas.errors import InputError
from nas.graph import Graph, trace
from nas.graph.soundness import dead_weight
from nas.network import Network, StepPlan, build, default_plan
from nas.network.running import is_out_of_memory
from nas.searching.candidates import graph_of
from nas.searching.evaluators import Beginning, Description, Recorder, Resume, Training, Warm
from nas.searching.interruption import Stop, deferred
from nas.searching.pretrained import PRETRAINED, Begun
from nas.searching.schedule import ETA
from nas.searching.setup.ground import Ground
from nas.searching.setup.latency import latency, onnx_latency
from nas.searching.setup.loading import Fold, typical
from nas.searching.setup.search_plan import SearchPlan
from nas.searching.setup.timing import Speed, timed_plan
from nas.space import to_document
from nas.study.history import Document, Measurement, Result, State
from nas.study.objective import DICE, Objective
from nas.study.protocol import CHECKPOINT, WEIGHTS, ArchitectureRecord
from nas.training import CheckpointError, DivergedError, Epoch, Recipe, Sample, Trained, Validation, train
from nas.training.checkpoints import plan_of
from nas.training.loop import Write
from nas.training.memory import release
from nas.training.metrics import mean_dice

SECONDS_BETWEEN_CHECKPOINTS = 30.0
"""How much training a worker that dies may cost."""
_TOLERANCE = 1.0
"""Of surface Dice in mm, as `nas evaluate` has it."""
_LONG_CASE = 0.005
"""Of a training's time: a case that takes longer is segmented only once to see how long validation will take."""
_FEWEST_TIMED = 10
"""Steps of a training whose time says how fast the device is: the first ones set things up."""
_LEARNT = 30
"""So many of the latest trainings say how fast it is."""
_WORTH_TIMING = 60.0
"""Seconds of a run from which on it pays to time different ways of running its network, which takes two or three."""
_FEWEST_STEPS = 100
"""Trainings of fewer counted steps are over before that."""


@dataclass(frozen=True)
class TrainedEvaluator:
    """Describes by tracing, and runs by training.

    Args:
        ground: data, task, plan and candidates.
        device: where to train.
        rungs: lengths of training, as shares of the recipe's steps or of a trial's time.
        clock: tells when a checkpoint is due.
        objectives: what is measured beside Dice.
    """

    ground: Ground
    device: torch.device
    rungs: Sequence[float] = (1.0,)
    clock: Clock = SYSTEM
    objectives: Sequence[Objective] = DICE
    _latest: dict[str, Description] = field(default_factory=dict, repr=False, compare=False)
    _timed: list[tuple[Graph, int, float]] = field(default_factory=list, repr=False, compare=False)
    """Networks that were trained here, patches a step, and seconds of one."""
    _speeds: list[Speed] = field(default_factory=list, repr=False, compare=False)
    """What the next ones will take follows from this one, fitted after each training; none before the first."""

    def plan(self, recipe: Recipe, graph: Graph) -> SearchPlan:
        """The plan for a network by this recipe, at the better of two speeds: as planned, and as trainings have shown.

        What was busy for a while may be quiet again, and a network that makes too few steps is seen at its first rung:
        better that than never to try it.
        """
        plan = self.ground.plan.decided(recipe)
        if not self._speeds:
            return plan
        return min(plan, replace(plan, speed=self._speeds[-1]), key=lambda known: known.seconds(graph))

    def learn(self, graph: Graph, recipe: Recipe, trained: Trained) -> None:
        """Note how long a network's steps took."""
        if trained.steps >= _FEWEST_TIMED:
            self._timed.append((graph, recipe.batch, trained.seconds / trained.steps))
            self._speeds[:] = [self.ground.plan.speed.learnt(self._timed[-_LEARNT:])]
            self._latest.clear()

    def describe(self, decisions: Document) -> Description:
        """Digest, cost and limits of what decisions lead to; the latest are remembered, as a strategy asks first."""
        key = json.dumps(decisions, sort_keys=True)
        if key not in self._latest:
            self._latest.clear()
            self._latest[key] = self._described(decisions)
        return self._latest[key]

    def _described(self, decisions: Document) -> Description:
        candidate = self.ground.candidates.decide(decisions)
        graph, problem = graph_of(candidate.architecture, self.ground.task)
        if graph is None:
            return Description(None, candidate.recipe.digest, constraints={"traceable": 1.0}, refusal=problem)
        plan = self.plan(candidate.recipe, graph)
        reason = plan.reason(graph)
        return Description(
            digest=graph.digest,
            # A network that weights do not fit is trained as without them: once.
            recipe_digest=self.ground.pretrained.decided(candidate.recipe, graph).digest,
            # Only what is trained can be asked for again, and a graph is a hundred times its description.
            architecture=_record(candidate.architecture, graph, with_graph=reason is None),
            constraints=dict(plan.excess(graph)),
            refusal=reason,
            # Where one network alone is trained, it is the one that was asked for.
            waste=dead_weight(graph) or None if self.ground.reference is None else None,
        )

    def run(self, training: Training, beginning: Beginning, recorder: Recorder) -> Result:
        """Train and validate; out of memory is infeasible, a loss that is no number diverged, a rung reached paused."""
        if training.key.fold != self.ground.fold:
            raise InputError(f"fold {training.key.fold} is not the fold {self.ground.fold} whose cases are loaded")
        candidate = self.ground.candidates.decide(training.decisions)
        graph = trace(candidate.architecture, self.ground.task)
        recipe = self.ground.pretrained.decided(candidate.recipe, graph)
        try:
            with _temporary_folder() as folder, deferred() as stop:
                return _Run(self, training, graph, recipe, recorder, folder, stop).carried_out(beginning)
        except DivergedError as error:
            return Result(state=State.DIVERGED, reason=str(error))
        except torch.OutOfMemoryError as error:
            constraints = {"out_of_memory": 1.0}
            return Result(state=State.INFEASIBLE, reason=f"out of memory: {error}", constraints=constraints)
        finally:
            release(self.device)
        raise AssertionError("a request to stop is obeyed")


@dataclass
class _Run:
    """One run on its way."""

    evaluator: TrainedEvaluator
    training: Training
    graph: Graph
    recipe: Recipe
    recorder: Recorder
    folder: Path
    stop: Stop
    begun: Begun | None = None
    """With which weights the network began."""

    def __post_init__(self) -> None:
        self.began = self.evaluator.clock.steady()
        self.share = self.evaluator.rungs[self.training.key.rung]
        """The part of a training that is over at its end; over 1 where it is trained further than to full length."""
        self.seconds = (self.evaluator.ground.plan.seconds_each or 0.0) * max(self.share, 1.0)
        if self.share > 1 and self.recipe.steps is not None:
            self.recipe = replace(self.recipe, steps=round(self.recipe.steps * self.share))

    @property
    def is_brief(self) -> bool:
        """Whether it ends at a rung before full length, to be compared with others."""
        return self.share < 1

    def carried_out(self, beginning: Beginning) -> Result:
        """Train to the rung and validate: on all cases where that is the whole length, before that on a few."""
        network = self._network()
        if self.begun is not None and not isinstance(beginning, Resume):
            self.recorder.note(f"trial {self.training.trial} begins with {self.begun}")
        if isinstance(beginning, Warm):
            _take_weights(network, beginning.weights)
        costs = self._costs(network)
        limit = self.evaluator.ground.plan.limits.latency
        if limit is not None and costs["latency"] > limit:
            return _too_slow(costs["latency"], limit)
        trained = self._trained(network, beginning)
        self.evaluator.learn(self.graph, self.recipe, trained)
        # From here on it takes seconds, and the last checkpoint holds all that is needed to do it again.
        if self.stop.asked:
            raise KeyboardInterrupt
        cases = self._validating()
        validation = self._validated(network, trained.plan, cases)
        missed = ", ".join(str(1 + target) for target in validation.missed)
        reason = f"never predicts target {missed}" if missed and len(cases) == len(self._cases.validation) else None
        state = State.PAUSED if self.is_brief else State.COMPLETE
        return Result(state=state, values=self._values(validation) | costs, steps=trained.steps, reason=reason)

    def _network(self) -> Network:
        """The network as it begins: random, or with the weights that its recipe names."""
        network = build(self.graph, seed=self.training.key.seed)
        self.begun = self.evaluator.ground.pretrained.begin(network, self.recipe)
        return network.to(self.evaluator.device)

    def _values(self, validation: Validation) -> dict[str, float]:
        """What the run is scored by: Dice, and the mean over targets of each further metric that is an objective."""
        wanted = {objective.metric for objective in self.evaluator.objectives}
        means = {name: mean_dice(values) for name, values in validation.means().items() if name in wanted}
        return {"dice": validation.dice, **means}

    def _costs(self, network: Network) -> dict[str, float]:
        """What is measured of a network before it is trained: its latency, where that matters."""
        wanted = {objective.metric for objective in self.evaluator.objectives}
        costs = {}
        if "latency" in wanted or self.evaluator.ground.plan.limits.latency is not None:
            costs["latency"] = latency(network, self.evaluator.device)
        if "onnx_latency" in wanted:
            costs["onnx_latency"] = onnx_latency(network)
        return costs

    @property
    def _cases(self) -> Fold:
        return self.evaluator.ground.cases

    def _validating(self) -> Sequence[Sample]:
        """The cases that the run is scored on: at a rung the same few for all networks."""
        rung, few = self.training.key.rung, self.evaluator.ground.plan.brief_cases
        if not self.is_brief or few is None:
            return self._cases.validation
        return typical(self._cases.validation, few * ETA**rung)

    def _epochs(self, share: float) -> int:
        """The epoch that a rung ends with."""
        return max(int(min(share, 1.0) * self.recipe.parts + 1e-6), 1)

    def _trained(self, network: Network, beginning: Beginning) -> Trained:
        resume = beginning.checkpoint if isinstance(beginning, Resume) else None
        plan = None if resume else self._ways()
        try:
            return self._train(network, plan, resume)
        except CheckpointError as error:
            self.recorder.note(f"training begins again: {error}")
            network.load_state_dict(self._network().state_dict())
            return self._train(network, plan, None)

    def _ways(self) -> StepPlan | None:
        """How the network is run: timed where that pays, else as the study found when it began."""
        share = min(self.share, 1.0)
        steps = round(self._plan.expected_steps(self.graph) * share)
        if self.recipe.steps is None and self.seconds * share < _WORTH_TIMING:
            return self._plan.way
        return self._timed_plan(steps) if steps >= _FEWEST_STEPS else None

    def _train(self, network: Network, plan: StepPlan | None, resume: Path | None) -> Trained:
        clock, last = self.evaluator.clock, self.evaluator.clock.steady()

        def save(step: int, done: float, write: Write) -> None:
            nonlocal last
            reached = self.is_brief and done >= self.share  # the run that goes on from this rung begins here
            due = clock.steady() - last > SECONDS_BETWEEN_CHECKPOINTS
            self.recorder.working("training", round(100 * done), 100)
            if self.stop.asked or reached or due:
                self._keep_checkpoint(write)
                last = clock.steady()
            if self.stop.asked:
                raise KeyboardInterrupt

        cases = self._cases
        return train(
            network,
            cases.training,
            self.recipe,
            resume=resume,
            targets=cases.targets,
            seed=self.training.key.seed,
            report=lambda epoch: self._report(epoch, after=self._share_before(resume)),
            save=save,
            plan=plan,
            seconds=self.seconds,
            reserve=0.0 if self.recipe.steps is not None else self._reserve(network, resume, plan),
            until=min(self.share, 1.0),
        )

    def _reserve(self, network: Network, resume: Path | None, plan: StepPlan | None) -> float:
        """Seconds of a whole training that are kept back, so that a run to its share of it takes that share in all.

        What building the network and timing ways of running it took is the run's too, and so is its validation, as one
        case shows that is segmented twice. At most half of the time is kept back.
        """
        a_case = self._seconds_a_case(network, resume, plan)
        beside = self.evaluator.clock.steady() - self.began + a_case * len(self._validating())
        return min(beside / (min(self.share, 1.0) - self._share_before(resume)), self.seconds / 2)

    def _share_before(self, resume: Path | None) -> float:
        """The share of the training after which the run before this one ended; 0 where this one begins."""
        rung = self.training.key.rung
        return self.evaluator.rungs[rung - 1] if resume is not None and rung else 0.0

    def _seconds_a_case(self, network: Network, resume: Path | None, plan: StepPlan | None) -> float:
        probe = typical(self._cases.validation, 1)
        if resume is not None:
            plan = plan_of(resume)
        plan = plan or default_plan(self.evaluator.device)
        seconds = []
        for _ in range(2):  # the first time sets things up
            began = self.evaluator.clock.steady()
            self.evaluator.ground.segmented(network, self.recipe, probe, briefly=self.is_brief, plan=plan)
            seconds.append(self.evaluator.clock.steady() - began)
            if seconds[0] > _LONG_CASE * self.seconds:
                break
        return min(seconds)

    @property
    def _plan(self) -> SearchPlan:
        return self.evaluator.plan(self.recipe, self.graph)

    def _report(self, epoch: Epoch, *, after: float) -> None:
        # As much is kept back for each run as it takes, so that an epoch may end twice by the clock.
        if not after or epoch.number > self._epochs(after):
            self.recorder.measured(_of_epoch(epoch))

    def _keep_checkpoint(self, write: Write) -> None:
        file = self.folder / "checkpoint.safetensors"
        with _room_for(file):
            write(file)
        self.recorder.keep(CHECKPOINT, file)

    def _validated(self, network: Network, plan: StepPlan, cases: Sequence[Sample]) -> Validation:
        def case_done(done: int) -> None:
            if self.stop.asked:
                raise KeyboardInterrupt
            self.recorder.working("validating", done, len(cases))

        tolerance = _TOLERANCE if _needs_surfaces(self.evaluator.objectives) else None
        validation = self.evaluator.ground.segmented(
            network, self.recipe, cases, briefly=self.is_brief, plan=plan, case_done=case_done, tolerance=tolerance
        )
        self.recorder.measured(_of_validation(validation, self._epochs(self.share)))
        file = self.folder / "weights.safetensors"
        tensors = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
        with _room_for(file):
            # Two networks of one digest compute the same and may differ in names and biases: the graph goes with them.
            header = {"step_plan": plan.to_json(), "graph": self.graph.to_json()}
            if self.begun is not None:
                header[PRETRAINED] = self.begun.to_json()
            save_file(tensors, file, {name: json.dumps(value) for name, value in header.items()})
        self.recorder.keep(WEIGHTS, file)
        return validation

    def _timed_plan(self, steps: int) -> StepPlan | None:
        """How the network runs fastest here; None where a whole batch needs more memory than there is."""
        cases, device, seed = self.evaluator.ground.cases, self.evaluator.device, self.training.key.seed
        try:
            return timed_plan(
                self.graph, self.recipe, cases.training, device, steps=steps, seed=seed, targets=cases.targets
            )
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return None


def _take_weights(network: Network, weights: Path) -> None:
    """Load the tensors of another network that have a name and shape of this one's."""
    own = network.state_dict()
    other = load_file(weights)
    fitting = {name: tensor for name, tensor in other.items() if name in own and own[name].shape == tensor.shape}
    network.load_state_dict(fitting, strict=False)


def _record(architecture: EncoderDecoder, graph: Graph, *, with_graph: bool) -> ArchitectureRecord:
    return ArchitectureRecord(
        digest=graph.digest,
        document=to_document(architecture),
        graph=graph.to_json() if with_graph else {},
        parameters=graph.parameters,
        macs=graph.macs,
        training_bytes=graph.training_bytes,
    )


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """A folder for files on their way into the study, gone at the end."""
    with _room_for("the folder for temporary files"):
        folder = tempfile.TemporaryDirectory()
    with folder as name:
        yield Path(name)


@contextmanager
def _room_for(what: str | Path) -> Iterator[None]:
    """Tell of a disk that is full, or cannot be written, as what the user can mend: no fault of the network's."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise InputError(
            f"{what} cannot be written ({getattr(error, 'strerror', None) or error}); make room there, or set TMPDIR "
            "to a folder on another disk, and give the same command again: what is finished is kept"
        ) from error


def _too_slow(seconds: float, limit: float) -> Result:
    return Result(
        state=State.INFEASIBLE,
        values={"latency": seconds},
        reason=f"{1000 * seconds:.1f} ms a patch, over the limit of {1000 * limit:g} ms",
        constraints={"latency": seconds / limit - 1},
    )


def _needs_surfaces(objectives: Sequence[Objective]) -> bool:
    return any(objective.metric in ("surface_dice", "hausdorff95") for objective in objectives)


def _mean(epoch: Epoch) -> float | None:
    values = [value for value in epoch.training_dice if value == value]
    return sum(values) / len(values) if values else None


def _of_epoch(epoch: Epoch) -> list[Measurement]:
    dice = [
        Measurement(epoch.number, "training_dice", value, class_index=index)
        for index, value in enumerate(epoch.training_dice, 1)
    ]
    mean = _mean(epoch)
    whole = [] if mean is None else [Measurement(epoch.number, "training_dice", mean)]
    return [Measurement(epoch.number, "loss", epoch.loss), *whole, *dice]


def _of_validation(validation: Validation, epoch: int) -> list[Measurement]:
    rows = [Measurement(epoch, "dice", validation.dice)]
    rows += [
        Measurement(epoch, "dice", value, class_index=index) for index, value in enumerate(validation.per_target, 1)
    ]
    for case, values in validation.cases:
        rows += [Measurement(epoch, "dice", value, index, case) for index, value in enumerate(values, 1)]
    for name, means in validation.means().items():
        rows += [Measurement(epoch, name, value, class_index=index) for index, value in enumerate(means, 1)]
    return rows
