"""What runs begin from where weights are carried over: a child from its parent's, a finalist from nothing."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from nas.errors import InputError
from nas.network import build
from nas.searching.evaluators import Beginning, Fresh, Recorder, Resume, Training, Warm
from nas.searching.evaluators.trained import _take_weights
from nas.searching.loop import Search, work
from nas.searching.schedule import Schedule, fit_schedule
from nas.searching.strategies import Action, Continue, Start
from nas.study.history import Result, State
from nas.study.memory import MemoryStudy
from nas.study.protocol import CHECKPOINT, WEIGHTS
from tests.searching.stand_in import ScriptedStrategy, StandIn, start, study
from tests.searching.test_search_plan import GRAPH, planned

CLIMB = (Continue(0, 1), Continue(1, 1))


def leaves(files: Path, *kinds: str) -> Any:
    """A run that leaves files, paused until its last rung."""

    def behave(training: Training, beginning: Beginning, recorder: Recorder) -> Result:
        for kind in kinds:
            file = files / f"{training.trial}-{training.key.rung}-{kind}"
            file.write_text(kind)
            recorder.keep(kind, file)
        return Result(state=State.COMPLETE if training.key.rung else State.PAUSED, values={"dice": 0.5})

    return behave


def searched(of: MemoryStudy, actions: list[Action], evaluator: StandIn, *, inherit: bool) -> list[type[Beginning]]:
    strategy = ScriptedStrategy(actions)
    work(Search(of, strategy, evaluator, 99, "space", lambda _: None, inherit=inherit), device="cpu", lease=30)
    return [type(beginning) for _, beginning in evaluator.runs]


@pytest.mark.parametrize(
    ("inherit", "kinds", "begun"),
    [
        (False, (WEIGHTS, CHECKPOINT), [Fresh, Fresh, Resume, Resume]),
        (True, (WEIGHTS, CHECKPOINT), [Fresh, Warm, Resume, Fresh]),
        (True, (CHECKPOINT,), [Fresh, Fresh, Resume, Fresh]),
    ],
    ids=["off", "on", "weights dropped"],
)
def test_a_child_begins_with_its_parents_weights_and_a_finalist_with_none(
    inherit: bool, kinds: tuple[str, ...], begun: list[type[Beginning]], tmp_path: Path
) -> None:
    evaluator = StandIn({name: leaves(tmp_path, *kinds) for name in "ab"})
    actions: list[Action] = [start("a"), Start({"network": "b"}, parent=0), *CLIMB]
    assert searched(study(rungs=[0.25, 1.0]), actions, evaluator, inherit=inherit) == begun


def test_a_finalist_that_was_stopped_goes_on_from_its_own_checkpoint(tmp_path: Path) -> None:
    of, stopped = study(rungs=[0.25, 1.0]), list[int]()

    def behave(training: Training, beginning: Beginning, recorder: Recorder) -> Result:
        result: Result = leaves(tmp_path, CHECKPOINT)(training, beginning, recorder)
        if training.trial == 1 and training.key.rung == 1 and not stopped:
            stopped.append(1)
            raise KeyboardInterrupt
        return result

    evaluator = StandIn({"a": behave, "b": behave})
    actions: list[Action] = [start("a"), Start({"network": "b"}, parent=0), Continue(1, 1)]
    with pytest.raises(KeyboardInterrupt):
        searched(of, actions, evaluator, inherit=True)
    assert searched(of, [], evaluator, inherit=True)[-2:] == [Fresh, Resume]


def test_finalists_that_begin_anew_are_planned_with() -> None:
    for seconds in (900.0, 7200.0):
        plain, afresh = fit_schedule(seconds), fit_schedule(seconds, afresh=True)
        last = len(afresh.rungs) - 1
        assert afresh.climb(last) == afresh.length > plain.climb(last) * afresh.length / plain.length
        assert afresh.planned == pytest.approx(0.97 * seconds)
        assert Schedule.from_json(afresh.to_json()) == afresh
    older = {name: value for name, value in fit_schedule(900.0).to_json().items() if name != "afresh"}
    assert Schedule.from_json(older) == fit_schedule(900.0)


def test_tensors_of_one_name_and_shape_are_taken(tmp_path: Path) -> None:
    network, other = build(GRAPH, seed=0), build(GRAPH, seed=1)
    state = {name: tensor.contiguous() for name, tensor in other.state_dict().items()}
    changed = next(name for name, tensor in state.items() if tensor.ndim > 1)
    save_file({**state, changed: torch.zeros(3), "elsewhere": torch.zeros(2)}, tmp_path / "other.safetensors")
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    _take_weights(network, tmp_path / "other.safetensors")
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name] if name == changed else state[name])


@pytest.mark.parametrize("options", [{"steps": 10}, {"trials": 1}])
def test_where_nothing_is_trained_briefly_no_weights_are_passed_on(options: dict[str, int]) -> None:
    with pytest.raises(InputError, match="nothing is trained briefly, so that no weights are passed on"):
        planned("100s", inherit=True, **options)
