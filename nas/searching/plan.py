"""What a search was fitted to, and which networks are therefore trained: known before anything is built."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from nas.graph import Graph
from nas.searching.timing import Speed
from nas.training import Recipe

BYTES_PER_PARAMETER = 16
"""Weight, gradient and AdamW's two moments, four bytes each."""


@dataclass(frozen=True)
class Limits:
    """The largest network that is trained. None is no limit; `seconds` is a trial's share of the budget."""

    parameters: int | None = None
    macs: int | None = None
    memory: int | None = None
    seconds: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The limits as plain JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """What was fitted to the machine when a study began; fixed from then on, so that its trials compare.

    `recipe` may have open choices; `decided` closes them, and what a plan says of a network's cost wants them closed.
    `positions` is how many voxels a validation looks at, each as often as windows overlap there, which a trial pays for
    too.
    """

    recipe: Recipe
    limits: Limits
    speed: Speed
    positions: int

    def decided(self, recipe: Recipe) -> "Plan":
        """The plan for networks that are trained by this recipe."""
        return replace(self, recipe=recipe)

    def fits(self, graph: Graph) -> bool:
        """Whether a network is within all limits."""
        return self.reason(graph) is None

    def excess(self, graph: Graph) -> Mapping[str, float]:
        """By how much a network is over each limit, as a share of it: feasible where all are 0 or less."""
        found = {
            "parameters": graph.parameters,
            "macs": graph.macs,
            "memory": memory(graph, self.recipe.batch),
            "seconds": self.seconds(graph),
        }
        limits = {name: limit for name, limit in asdict(self.limits).items() if limit is not None}
        return {name: found[name] / limit - 1 for name, limit in limits.items()}

    def seconds(self, graph: Graph) -> float:
        """How long a trial of this network is predicted to take: training and validation."""
        step = self.speed.step_seconds(graph, self.recipe.batch)
        mirrored = 2.0 ** len(self.recipe.averaged_axes(graph.task.axes))
        patches = mirrored * self.positions / graph.task.voxels((1,) * graph.task.axes)
        # A forward pass is a third of a training step.
        return step * (self.recipe.steps + patches / self.recipe.batch / 3)

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
        return {"limits": self.limits.to_json(), "speed": self.speed.to_json(), "positions": self.positions}

    @staticmethod
    def from_json(recipe: Mapping[str, Any], document: Mapping[str, Any]) -> "Plan":
        """The plan that `to_json` wrote."""
        limits, speed = Limits(**document["limits"]), Speed(**document["speed"])
        return Plan(Recipe.from_json(dict(recipe)), limits, speed, document["positions"])


def memory(graph: Graph, batch: int) -> int:
    """Bytes that training a network with a batch of patches is predicted to hold."""
    return graph.training_bytes * batch + BYTES_PER_PARAMETER * graph.parameters
