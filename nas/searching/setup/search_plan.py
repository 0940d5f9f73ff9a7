"""What a search was fitted to, and which networks are therefore trained: known before anything is built."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from nas.graph import Graph
from nas.network import StepPlan
from nas.searching.schedule import Schedule
from nas.searching.setup.timing import Speed
from nas.training import Recipe, Window

BYTES_PER_PARAMETER = 16
"""Weight, gradient and AdamW's two moments, four bytes each."""
_PASS = 1 / 3
"""Of a training step, what a forward pass takes."""


@dataclass(frozen=True)
class Limits:
    """The largest network that is trained. None is no limit; `seconds` is a trial's share of the budget.

    `latency`, in seconds a patch, is measured when a network is about to be trained; the others follow from its graph.
    """

    parameters: int | None = None
    macs: int | None = None
    memory: int | None = None
    seconds: float | None = None
    latency: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The limits as plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class SearchPlan:
    """What was fitted to the machine when a study began; fixed from then on, so that its trials compare.

    `recipe` may have open choices; `decided` closes them, and what a plan says of a network's cost wants them closed.
    Where the recipe says no number of steps, each trial has so many `seconds`, validation included, and a network that
    cannot make `fewest` steps in them is not trained. `positions` is how many voxels a validation looks at through
    `window`, each as often as windows overlap there, which a trial pays for too. A search by time has a `schedule`, and
    scores networks at its first rung on `brief_cases` cases, before the last one through `brief_window`, which takes
    less time; None is `window`. `way` is how networks run fast here, for those whose training is too short to find out.
    """

    recipe: Recipe
    limits: Limits
    speed: Speed
    positions: int
    seconds_each: float | None = None
    fewest: int = 0
    window: Window | None = None
    schedule: Schedule | None = None
    brief_cases: int | None = None
    brief_window: Window | None = None
    way: StepPlan | None = None

    def decided(self, recipe: Recipe) -> "SearchPlan":
        """The plan for networks that are trained by this recipe."""
        return replace(self, recipe=recipe)

    def fits(self, graph: Graph) -> bool:
        """Whether a network is within all limits."""
        return self.reason(graph) is None

    def excess(self, graph: Graph) -> Mapping[str, float]:
        """By how much a network is over each limit, as a share of it: feasible where all are 0 or less."""
        costs = {
            "parameters": graph.parameters,
            "macs": graph.macs,
            "memory": memory(graph, self.recipe.batch),
            "seconds": self.seconds(graph),
        }
        limits = asdict(self.limits)
        return {name: cost / limits[name] - 1 for name, cost in costs.items() if limits[name] is not None}

    def seconds(self, graph: Graph) -> float:
        """How long a trial of this network is predicted to take at least: training and validation."""
        step = self.speed.step_seconds(graph, self.recipe.batch)
        steps = self.fewest if self.recipe.steps is None else self.recipe.steps
        return step * (steps + self.validation_steps(graph))

    @property
    def rungs(self) -> tuple[float, ...]:
        """Lengths of training at which networks are compared, as shares of the whole."""
        return (1.0,) if self.schedule is None else self.schedule.rungs

    def validation_steps(self, graph: Graph) -> float:
        """How many training steps take as long as a validation."""
        mirrored = 2.0 ** len(self.recipe.averaged_axes(graph.task.axes))
        patches = mirrored * self.positions / graph.task.voxels((1,) * graph.task.axes)
        return patches / self.recipe.batch * _PASS

    def expected_steps(self, graph: Graph) -> int:
        """How many steps a network is expected to make."""
        if self.recipe.steps is not None:
            return self.recipe.steps
        step = self.speed.step_seconds(graph, self.recipe.batch)
        return max(int((self.seconds_each or 0.0) / step - self.validation_steps(graph)), 1)

    def reason(self, graph: Graph) -> str | None:
        """Why a network is not trained, in words; None if it is."""
        over = {name: share for name, share in self.excess(graph).items() if share > 0}
        if not over:
            return None
        worst = max(over, key=lambda name: over[name])
        limit = getattr(self.limits, worst)
        match worst:
            case "parameters":
                return f"{graph.parameters:,} parameters, over the limit of {limit:,}"
            case "macs":
                return f"{graph.macs:,} MACs, over the limit of {limit:,}"
            case "memory":
                return f"{memory(graph, self.recipe.batch):,} bytes to train, over the limit of {limit:,}"
        return f"about {self.seconds(graph):.0f} s to train, over its share of the budget, {limit:.1f} s"

    def to_json(self) -> dict[str, Any]:
        """The plan as plain JSON, the recipe aside, which a study keeps by itself."""
        return {
            "limits": self.limits.to_json(),
            "speed": self.speed.to_json(),
            "positions": self.positions,
            "seconds_each": self.seconds_each,
            "fewest": self.fewest,
            "window": None if self.window is None else self.window.to_json(),
            "schedule": None if self.schedule is None else self.schedule.to_json(),
            "brief_cases": self.brief_cases,
            "brief_window": None if self.brief_window is None else self.brief_window.to_json(),
            "way": None if self.way is None else self.way.to_json(),
        }

    @staticmethod
    def from_json(recipe: Mapping[str, Any], document: Mapping[str, Any]) -> "SearchPlan":
        """The plan that `to_json` wrote; of an earlier study, whose trainings were of so many steps, too."""
        way = document.get("way")
        return SearchPlan(
            Recipe.from_json(dict(recipe)),
            Limits(**document["limits"]),
            Speed(**document["speed"]),
            document["positions"],
            document.get("seconds_each"),
            document.get("fewest", 0),
            _window(document.get("window")),
            Schedule.of(document),
            document.get("brief_cases"),
            _window(document.get("brief_window")),
            None if way is None else StepPlan.from_json(way),
        )


def _window(document: Mapping[str, Any] | None) -> Window | None:
    return None if document is None else Window.from_json(document)


def memory(graph: Graph, batch: int) -> int:
    """Bytes that training a network with a batch of patches is predicted to hold."""
    return graph.training_bytes * batch + BYTES_PER_PARAMETER * graph.parameters
