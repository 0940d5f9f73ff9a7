"""What stands in for networks, training and time in the fast tests of searching."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from nas.clock import SimulatedClock
from nas.searching.evaluators import Beginning, Description, Recorder, Training
from nas.searching.events import Event
from nas.searching.loop import Search, work
from nas.searching.strategies import Action, Done, Start
from nas.study.history import Document, History, Result, State
from nas.study.memory import MemoryStudy
from nas.study.protocol import ArchitectureRecord
from nas.study.settings import StudySettings

SETTINGS = StudySettings(
    name="stand-in",
    space="tiny",
    space_document={},
    space_digest="space",
    data="nothing",
    data_fingerprint={},
    data_digest="data",
    synthetic=True,
    task={},
    recipe={},
    plan={},
    seed=0,
    versions={},
    device="cpu",
)
Behaviour = Callable[[Training, Beginning, Recorder], Result]


def complete(dice: float) -> Result:
    return Result(state=State.COMPLETE, values={"dice": dice})


def describe(decisions: Document) -> Description:
    """`network` names the network; `refusal` and `untraceable` say why it is not trained."""
    constraints = {"macs": 0.5} if "refusal" in decisions else {"macs": -0.5}
    if "untraceable" in decisions:
        return Description(None, "recipe", constraints={"traceable": 1.0}, refusal=decisions["untraceable"])
    digest = decisions["network"]
    record = ArchitectureRecord(digest, {"of": digest}, {}, parameters=10, macs=20, training_bytes=30)
    return Description(digest, "recipe", record, constraints, decisions.get("refusal"))


@dataclass
class ScriptedStrategy:
    """Says one action after the other, as many trials as there are runs of it, and then that it is done."""

    actions: Sequence[Action]
    said: int = 0

    def next(self, history: History, running: int, generator: Random) -> Action:
        action = self.actions[self.said] if self.said < len(self.actions) else Done()
        self.said += 1
        return action


@dataclass
class StandIn:
    """An evaluator that does what it is told for each network, and remembers what it was asked."""

    behaviours: Mapping[str, Behaviour] = field(default_factory=dict)
    runs: list[tuple[Training, Beginning]] = field(default_factory=list)

    def describe(self, decisions: Document) -> Description:
        return describe(decisions)

    def run(self, training: Training, beginning: Beginning, recorder: Recorder) -> Result:
        self.runs.append((training, beginning))
        behave = self.behaviours.get(training.decisions["network"])
        return complete(0.5) if behave is None else behave(training, beginning, recorder)


def study(**changes: object) -> MemoryStudy:
    settings = StudySettings(**{**vars(SETTINGS), **changes})  # type: ignore[arg-type]
    return MemoryStudy(settings, SimulatedClock())


def start(network: str, **decisions: object) -> Start:
    return Start({"network": network, **decisions})


def search(
    of: MemoryStudy,
    actions: Iterable[Action],
    evaluator: StandIn | None = None,
    wanted: int = 100,
    hear: Callable[[Event], None] = lambda _: None,
) -> History:
    """The history of a study after a worker has done what a script says."""
    strategy = ScriptedStrategy(list(actions))
    whole = Search(of, strategy, evaluator or StandIn(), wanted, of.settings.space_digest, hear)
    work(whole, device="cpu", lease=30)
    return of.history()
