"""A study as its user finds it: the best network, trained, and every other one."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from nas.errors import InputError
from nas.graph import Graph
from nas.network import Network, build
from nas.searching.measuring import WEIGHTS
from nas.study import DEFAULT_STORAGE
from nas.study.opening import open_study as open_stored
from nas.study.records import ArchitectureRecord, Document, Evaluation
from nas.study.storage import open_storage
from nas.study.study import Study


@dataclass(frozen=True)
class FoundNetwork:
    """One trained network of a study."""

    study: Study
    evaluation: Evaluation

    @cached_property
    def graph(self) -> Graph:
        """Its graph, read back from the study."""
        return Graph.from_json(self._record.graph)

    @property
    def document(self) -> Document:
        """Its architecture as JSON, which `space.load` reads."""
        return self._record.document

    @property
    def target_dice(self) -> dict[str, float]:
        """Dice of each foreground class, or of each region where the data declare such; NaN where it is undefined."""
        described = self.study.settings.data_fingerprint
        names = [item["name"] for item in described.get("regions") or described["classes"][1:]]
        found = self.study.learning_curve(self.evaluation.id, "dice")
        return {names[each.class_index - 1]: each.value for each in found if each.class_index}

    def module(self) -> Network:
        """The trained PyTorch module, in evaluation mode, on the CPU.

        Raises:
            InputError: its weights are missing or have changed.
        """
        from safetensors.torch import load_file

        network = build(self.graph)
        network.load_state_dict(load_file(self.study.artifact(self.evaluation.id, WEIGHTS)))
        return network.eval()

    def export(self, folder: str | Path) -> tuple[Path, ...]:
        """Write model.py, weights.safetensors and architecture.json; see `nas.export.write`."""
        from nas.export import write

        settings, result = self.study.settings, self.evaluation
        facts: dict[str, Any] = {
            "study": settings.name,
            "trial": result.trial,
            "reference": result.reference,
            "dice": result.dice,
            "objective": settings.objective,
            "data": settings.data,
            "synthetic": settings.synthetic,
            "classes": [item["name"] for item in settings.data_fingerprint["classes"]],
            "preprocessing": settings.plan["preprocessing"],
            "recipe": result.recipe,
        }
        state = self.module().state_dict()
        return write(Path(folder), self.graph, state, self.document, facts=facts)

    @cached_property
    def _record(self) -> ArchitectureRecord:
        return self.study.architecture(self.evaluation.digest or "")


@dataclass(frozen=True)
class FoundStudy:
    """A study and what it found."""

    study: Study

    @property
    def best(self) -> FoundNetwork:
        """The network of the highest Dice.

        Raises:
            InputError: no trial is complete yet.
        """
        evaluation = self.study.best()
        if evaluation is None:
            raise InputError(f"study {self.study.name!r}: no network is trained yet; run nas search first")
        return FoundNetwork(self.study, evaluation)

    def trial(self, number: int) -> FoundNetwork:
        """The network of a trial.

        Raises:
            InputError: there is no such trial, or it was not trained.
        """
        found = [e for e in self.study.evaluations() if e.trial == number]
        if not found or found[0].dice is None or found[0].digest is None:
            raise InputError(f"study {self.study.name!r}: trial {number} trained no network; see nas status")
        return FoundNetwork(self.study, found[0])

    def summary(self) -> dict[str, Any]:
        """The study in a few words, as `nas best --json` prints it."""
        return self.study.summary()


def open_study(name: str, storage: str = DEFAULT_STORAGE, artifacts: str | None = None) -> FoundStudy:
    """A study that a search has written.

    Args:
        name: of the study.
        storage: SQLite file or SQLAlchemy URL.
        artifacts: folder or URL of weights, where it is another than the search was given.

    Raises:
        InputError: the storage or the study is not there.
    """
    return FoundStudy(open_stored(open_storage(storage, artifacts=artifacts, create=False), name))
