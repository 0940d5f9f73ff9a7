"""The evaluator of replays and fast tests: what a run would have given is looked up, and its time passes on a clock."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from nas.clock import Clock
from nas.errors import InputError
from nas.searching.evaluators import Beginning, Description, Recorder, Resume, Training
from nas.study.history import Document, Measurement, Result, State

Describe = Callable[[Document], Description]
Key = tuple[str | None, str | None]
"""Digests of network and recipe."""


@dataclass(frozen=True)
class Row:
    """What training a network has given: values by metric at each rung, and the seconds of its whole training."""

    values: Sequence[Mapping[str, float]]
    seconds: float = 1.0
    state: State = State.COMPLETE
    reason: str | None = None


@dataclass
class TabularEvaluator:
    """Describes by a function, and runs by a table.

    Args:
        description: of decisions.
        table: what each training gives.
        clock: on which training takes its time.
        rungs: lengths of training, as shares of the whole.
        beside: seconds that each run takes beside its training.
    """

    description: Describe
    table: Mapping[Key, Row]
    clock: Clock
    rungs: Sequence[float] = (1.0,)
    beside: float = 0.0
    _trained: dict[int, float] = field(default_factory=dict, repr=False)
    """The share of its training that each trial has had: the checkpoints of a world in which nothing is trained."""

    def describe(self, decisions: Document) -> Description:
        """What decisions lead to."""
        return self.description(decisions)

    def run(self, training: Training, beginning: Beginning, recorder: Recorder) -> Result:
        """The result of a run that has taken its time.

        Raises:
            InputError: the table has no such training.
        """
        description = self.describe(training.decisions)
        key = (description.digest, description.recipe_digest)
        if key not in self.table:
            raise InputError(f"the table has no training of {description.digest} by {description.recipe_digest}")
        row, rung = self.table[key], training.key.rung
        before = self._trained.get(training.trial, 0.0) if isinstance(beginning, Resume) or rung else 0.0
        self.clock.sleep(max(self.rungs[rung] - before, 0.0) * row.seconds + self.beside)
        self._trained[training.trial] = self.rungs[rung]
        values = row.values[min(rung, len(row.values) - 1)]
        recorder.measured([Measurement(rung + 1, metric, value) for metric, value in values.items()])
        last = rung == len(self.rungs) - 1
        state = row.state if last or row.state is not State.COMPLETE else State.PAUSED
        return Result(state=state, values=values, reason=row.reason)
