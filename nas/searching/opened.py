"""A study as its user finds it: the best network, trained, and every other one."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nas.errors import InputError
from nas.graph import Graph
from nas.network import Network, build
from nas.space import Space
from nas.study import DEFAULT_STORAGE
from nas.study.history import Document, History, Run, State, Trial
from nas.study.objective import fronts, ranked
from nas.study.protocol import WEIGHTS, ArchitectureRecord
from nas.study.sql.opening import open_study as open_stored
from nas.study.sql.storage import open_storage
from nas.study.sql.study import SqlStudy
from nas.study.summary import described
from nas.training import Recipe


def weights_header(weights: Path) -> dict[str, Any]:
    """What stands in the header of a file of weights: the graph and how it was run, where it was kept there."""
    from safetensors import safe_open

    with safe_open(weights, "pt") as file:
        return {name: json.loads(text) for name, text in (file.metadata() or {}).items() if text[:1] in "{["}


@dataclass(frozen=True)
class TrainedNetwork:
    """One trained network of a study: by the run of the search that is furthest, or by the one that is chosen."""

    study: SqlStudy
    trial: Trial
    chosen: Run | None = None

    @cached_property
    def graph(self) -> Graph:
        """Its graph, as its weights have it, or else as the study has it."""
        graph = weights_header(self.study.file(self.run.id, WEIGHTS)).get("graph")
        return Graph.from_json(graph or self._record.graph)

    @property
    def document(self) -> Document:
        """Its architecture as JSON, which `space.load` reads."""
        return self._record.document

    @property
    def target_dice(self) -> dict[str, float]:
        """Dice of each foreground class, or of each region where the data declare such; NaN where it is undefined."""
        described = self.study.settings.data_fingerprint
        names = [item["name"] for item in described.get("regions") or described["classes"][1:]]
        measured = self.study.measurements(self.run.id, "dice")
        whole = {point.class_index: point.value for point in measured if point.case is None and point.class_index}
        return {names[index - 1]: value for index, value in whole.items()}

    @property
    def recipe(self) -> Document:
        """The recipe that it was trained by, every choice closed."""
        recipe = Space("recipe", Recipe.from_json(self.study.settings.recipe))
        return recipe.decide(self.trial.recipe_decisions).to_json()

    def module(self) -> Network:
        """The trained PyTorch module, in evaluation mode, on the CPU.

        Raises:
            InputError: its weights are missing or have changed.
        """
        from safetensors.torch import load_file

        network = build(self.graph)
        network.load_state_dict(load_file(self.study.file(self.run.id, WEIGHTS)))
        return network.eval()

    def _repr_svg_(self) -> str:
        """The picture that a notebook shows."""
        from nas.graph.picture import draw

        values = ", ".join(f"{metric} {value:.4f}" for metric, value in self.trial.values.items())
        return draw(self.graph, f"{self.trial.reference or f'trial {self.trial.number}'}: {values}")

    def export(self, folder: str | Path) -> tuple[Path, ...]:
        """Write model.py, weights.safetensors and architecture.json; see `nas.export.write`."""
        from nas.export import write

        settings = self.study.settings
        facts: dict[str, Any] = {
            "study": settings.name,
            "trial": self.trial.number,
            "reference": self.trial.reference,
            **self.trial.values,
            "objective": settings.objective,
            "data": settings.data,
            "synthetic": settings.synthetic,
            "classes": [item["name"] for item in settings.data_fingerprint["classes"]],
            "preprocessing": settings.plan["preprocessing"],
            "recipe": self.recipe,
        }
        state = self.module().state_dict()
        return write(Path(folder), self.graph, state, self.document, facts=facts)

    @cached_property
    def _record(self) -> ArchitectureRecord:
        return self.study.architecture(self.trial.digest or "")

    @property
    def run(self) -> Run:
        """The run whose weights these are."""
        run = self.chosen or self.trial.latest
        assert run is not None
        return run


@dataclass(frozen=True)
class OpenedStudy:
    """A study and what it found, as it was when it was first looked at."""

    study: SqlStudy

    @cached_property
    def history(self) -> History:
        """All trials with their runs."""
        return self.study.history()

    @property
    def best(self) -> TrainedNetwork:
        """The network that ranks first by the study's objectives.

        Raises:
            InputError: no trial is complete yet.
        """
        trial = self.study.glance(1).best
        if trial is None:
            raise InputError(f"study {self.study.name!r}: no network is trained yet; run nas search first")
        return TrainedNetwork(self.study, trial)

    @property
    def front(self) -> list[Trial]:
        """The trials that no other one of equal length beats in every objective, the first objective's best first."""
        scored = ranked(self.history, self.study.settings.goals)
        longest = [trial for trial in scored if trial.state is scored[0].state]
        return fronts(longest, self.study.settings.goals)[0] if longest else []

    def front_summary(self) -> dict[str, Any]:
        """The front as `nas best --front --json` prints it."""
        goals = self.study.settings.goals
        return {"study": self.study.name, "front": [described(trial, goals) for trial in self.front]}

    def trial(self, number: int) -> TrainedNetwork:
        """The network of a trial.

        Raises:
            InputError: there is no such trial, or it was not trained.
        """
        trial = self.history.by_number.get(number)
        settled = None if trial is None else trial.settled
        if settled is None or settled.state not in (State.COMPLETE, State.PAUSED):
            raise InputError(f"study {self.study.name!r}: trial {number} trained no network; see nas status")
        return TrainedNetwork(self.study, settled)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from nas.searching.notebook import study_html

        return study_html(self.study)

    def summary(self) -> dict[str, Any]:
        """The study in a few words, as `nas best --json` prints it."""
        return self.study.summary()


def open_study(name: str, storage: str = DEFAULT_STORAGE, artifacts: str | None = None) -> OpenedStudy:
    """A study that a search has written.

    Args:
        name: of the study.
        storage: SQLite file or SQLAlchemy URL.
        artifacts: folder or URL of weights, where it is another than the search was given.

    Raises:
        InputError: the storage or the study is not there.
    """
    return OpenedStudy(open_stored(open_storage(storage, artifacts=artifacts, create=False), name))
