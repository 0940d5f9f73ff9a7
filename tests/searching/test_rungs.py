"""A run to a rung and on from it, with real networks: what it is scored on, what it leaves, what it goes on from."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import nas
from nas.catalog import load_space
from nas.data import Preprocessing
from nas.graph import Task, trace
from nas.network import build
from nas.searching.candidates import candidates_of
from nas.searching.evaluators import Fresh, Resume, Training
from nas.searching.evaluators.trained import TrainedEvaluator
from nas.searching.setup.ground import Ground
from nas.searching.setup.loading import Fold, typical
from nas.searching.setup.search_plan import Limits, SearchPlan
from nas.searching.setup.timing import USUAL
from nas.study.history import Measurement, RunKey, State
from nas.study.objective import Objective
from nas.study.protocol import CHECKPOINT, WEIGHTS
from nas.training import Recipe, Window
from tests.training.factories import sample

SPACE = load_space("tiny")
TASK = Task(2, 1, 3, (16, 16), ((2, 2),) * 2)
RECIPE = Recipe(steps=8, batch=2, epochs=4)
RUNGS = (0.25, 1.0)


@dataclass
class Kept:
    """What a run leaves."""

    folder: Path
    files: dict[str, Path] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)

    def measured(self, measurements: Iterable[Measurement]) -> None:
        self.measurements += measurements

    def keep(self, kind: str, path: Path) -> None:
        self.files[kind] = path.rename(self.folder / f"{kind}.safetensors")

    def working(self, what: str, done: int, total: int) -> None: ...

    def note(self, text: str) -> None:
        raise AssertionError(text)

    @property
    def cases(self) -> set[str | None]:
        return {measurement.case for measurement in self.measurements if measurement.case is not None}


def evaluator(limits: Limits = Limits(), objectives: tuple[Objective, ...] = (Objective(),)) -> TrainedEvaluator:  # noqa: B008 frozen
    plan = SearchPlan(RECIPE, limits, USUAL, positions=100, brief_cases=1)
    cases = Fold([sample(seed=seed) for seed in range(2)], [sample(seed=seed) for seed in range(2, 8)])
    preprocessing = Preprocessing((1.0, 1.0), ())
    ground = Ground(candidates_of(SPACE, RECIPE), TASK, plan, preprocessing, cases, None, 0, None)
    return TrainedEvaluator(ground, torch.device("cpu"), RUNGS, objectives=objectives)


def training(rung: int) -> Training:
    decisions = SPACE.read(SPACE.members[0].architecture)
    return Training(0, dict(decisions), RunKey(rung=rung))


@pytest.fixture(scope="module")
def paused(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    kept = Kept(tmp_path_factory.mktemp("paused"))
    result = evaluator().run(training(0), Fresh(), kept)
    assert (result.state, result.steps) == (State.PAUSED, 2)
    assert 0 <= result.values["dice"] <= 1
    return kept


def test_a_paused_run_leaves_weights_that_can_be_used_and_a_checkpoint_to_go_on_from(paused: Kept) -> None:
    assert set(paused.files) == {CHECKPOINT, WEIGHTS}


def test_a_rung_ends_with_an_epoch_and_is_scored_on_few_cases(paused: Kept) -> None:
    assert {measurement.epoch for measurement in paused.measurements} == {1}
    assert len(paused.cases) == 1


def test_before_the_last_rung_cases_are_seen_through_the_window_that_takes_less_time(tmp_path: Path) -> None:
    plan = replace(evaluator().ground.plan, window=Window((16, 16)), brief_window=Window())
    ground = replace(evaluator().ground, plan=plan)
    kept, few = Kept(tmp_path), typical(ground.cases.validation, 1)
    result = TrainedEvaluator(ground, torch.device("cpu"), RUNGS).run(training(0), Fresh(), kept)
    network = build(trace(SPACE.members[0].architecture, TASK))
    network.load_state_dict(load_file(kept.files[WEIGHTS]))
    seen, carefully = (ground.segmented(network, RECIPE, few, briefly=briefly).dice for briefly in (True, False))
    assert result.values["dice"] == pytest.approx(seen, abs=1e-6)
    assert seen != carefully


def test_a_run_goes_on_to_what_it_would_have_been_without_the_pause(paused: Kept, tmp_path: Path) -> None:
    on, through = Kept(tmp_path / "on"), Kept(tmp_path / "through")
    for kept in (on, through):
        kept.folder.mkdir()
    resumed = evaluator().run(training(1), Resume(paused.files[CHECKPOINT]), on)
    whole = evaluator().run(training(1), Fresh(), through)
    assert (resumed.state, resumed.steps, resumed.values) == (State.COMPLETE, 8, whole.values)
    weights, others = load_file(on.files[WEIGHTS]), load_file(through.files[WEIGHTS])
    assert all(torch.equal(tensor, others[name]) for name, tensor in weights.items())
    assert len(on.cases) == 6


def test_latency_is_measured_where_it_matters_and_a_limit_ends_a_run_before_it_is_trained(tmp_path: Path) -> None:
    goals = (Objective(), Objective("latency", "minimize"), Objective("iou"))
    result = evaluator(objectives=goals).run(training(0), Fresh(), Kept(tmp_path))
    assert set(result.values) == {"dice", "iou", "latency"}
    refused = evaluator(Limits(latency=1e-9)).run(training(0), Fresh(), Kept(tmp_path))
    assert refused.state is State.INFEASIBLE
    assert "over the limit of 1e-06 ms" in (refused.reason or "")
    assert refused.constraints["latency"] > 0


def test_latency_by_onnx_runtime_is_another_metric_that_is_measured_where_it_is_an_objective(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="pip install 'nas[onnx]'")
    goals = (Objective(), Objective("onnx_latency", "minimize"))
    result = evaluator(objectives=goals).run(training(0), Fresh(), Kept(tmp_path))
    assert set(result.values) == {"dice", "onnx_latency"}
    assert 0 < result.values["onnx_latency"] < 10


@pytest.mark.parametrize(("number", "seeds"), [(1, 1), (3, 3), (6, 6), (60, 6)])
def test_typical_cases_are_few_and_always_the_same(number: int, seeds: int) -> None:
    samples = [replace(sample(size=(24, 20 + 4 * seed), seed=seed), name=f"case {seed}") for seed in range(6)]
    chosen = typical(samples, number)
    assert len(chosen) == seeds
    assert [one.name for one in typical(samples[::-1], number)] == [one.name for one in chosen][::-1]


def test_a_search_by_time_trains_what_it_can_and_goes_on_with_more_time(tmp_path: Path) -> None:
    options = {"space": "tiny", "data": "pictures", "patch": (16, 16), "storage": str(tmp_path / "nas.db")}
    first = nas.search(trials=1, budget="8s", **options)  # type: ignore[arg-type]
    assert [trial.state for trial in first.history.trials] == [State.COMPLETE]
    assert first.study.settings.plan["schedule"]["seconds"] <= 8
    longer = nas.search(trials=2, budget="20s", **options)  # type: ignore[arg-type]
    assert [trial.state for trial in longer.history.trials] == [State.COMPLETE] * 2
    assert "together" not in longer.study.settings.plan  # a study of one rung has no finalists
