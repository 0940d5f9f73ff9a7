"""Pictures beside the trials that optuna-dashboard shows: the network, and cases with outlines.

Nothing is written: the pictures are made when somebody looks, and stand in what the dashboard reads of trials only
there. So a search in the same database is never waited for, and never waits.
"""

import json
from collections.abc import Callable, Container
from functools import lru_cache
from io import BytesIO
from typing import Any, BinaryIO
from uuid import NAMESPACE_OID, uuid5

from optuna.artifacts.exceptions import ArtifactNotFound
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from nas.errors import InputError
from nas.graph import Graph
from nas.graph.picture import draw
from nas.study.history import ENDED, State, Trial
from nas.study.optuna import STATE
from nas.study.sql.opening import open_study
from nas.study.sql.storage import Storage
from nas.study.sql.study import SqlStudy

CasePictures = Callable[[SqlStudy, Trial], bytes]
"""A PNG of what a trial's network sees in a few cases; InputError where it cannot be made."""
NETWORK, CASES = "network.svg", "cases.png"
_KINDS = {NETWORK: "image/svg+xml", CASES: "image/png"}
_KEPT = 64
"""Pictures that are kept once they were shown."""


class Pictures:
    """The pictures of all trials of a storage, as optuna-dashboard asks for them.

    Args:
        storage: where the studies are.
        cases: makes pictures of cases; None leaves them out.
    """

    def __init__(self, storage: Storage, cases: CasePictures | None = None) -> None:
        self.storage, self.cases = storage, cases
        self._known: dict[str, tuple[str, int, str]] = {}
        self._draw = lru_cache(maxsize=_KEPT)(self._drawn)

    def listed(self, study: str, trial: FrozenTrial) -> dict[str, str]:
        """What there is of a trial, as attributes that optuna-dashboard reads."""
        state = trial.user_attrs.get(STATE)
        names = [NETWORK] if state in ENDED and "parameters" in trial.user_attrs else []
        names += [CASES] if state == State.COMPLETE and self.cases is not None else []
        attributes = {}
        for name in names:
            # The same wherever and whenever it is opened, and what its address may be made of.
            identity = str(uuid5(NAMESPACE_OID, f"{study}/{trial.number}/{name}"))
            self._known[identity] = study, trial.number, name
            about = {"artifact_id": identity, "filename": name, "mimetype": _KINDS[name], "encoding": None}
            attributes[f"artifacts:{identity}"] = json.dumps(about)
        return attributes

    def open_reader(self, artifact_id: str) -> BinaryIO:
        """A picture, made now unless it was shown before.

        Raises:
            ArtifactNotFound: nobody was told of it, or it cannot be made.
        """
        if artifact_id not in self._known:
            raise ArtifactNotFound(artifact_id)
        try:
            return BytesIO(self._draw(*self._known[artifact_id]))
        except (InputError, KeyError, TypeError, ValueError) as error:
            raise ArtifactNotFound(str(error)) from error

    def _drawn(self, name: str, number: int, kind: str) -> bytes:
        study = open_study(self.storage, name)
        trial = study.history().by_number[number]
        if kind == CASES and self.cases is not None:
            return self.cases(study, trial)
        graph = Graph.from_json(study.architecture(trial.digest or "").graph)
        return draw(graph, trial.reference or f"trial {number}").encode()

    def write(self, artifact_id: str, content_body: BinaryIO) -> None:
        """Nothing is kept: what people add would be lost when the image of the study is made anew."""
        raise InputError("this dashboard keeps no files")

    def remove(self, artifact_id: str) -> None:
        """Nothing is kept, so that there is nothing to remove."""


class Pictured(RDBStorage):
    """Another storage, through its own connection, with pictures where optuna-dashboard looks for them."""

    def __init__(self, backend: RDBStorage, pictures: Pictures) -> None:
        vars(self).update(vars(backend))
        self._pictures = pictures
        self._listed: dict[int, dict[str, str]] = {}

    def get_all_trials(
        self, study_id: int, deepcopy: bool = True, states: Container[TrialState] | None = None
    ) -> list[FrozenTrial]:
        """The trials of a study, each with its pictures."""
        trials = super().get_all_trials(study_id, deepcopy, states)
        name = self.get_study_name_from_id(study_id)
        for trial in trials:
            self._listed[trial._trial_id] = self._pictures.listed(name, trial)
            trial._system_attrs.update(self._listed[trial._trial_id])
        return trials

    def get_trial_system_attrs(self, trial_id: int) -> dict[str, Any]:
        """A trial's attributes with its pictures."""
        return super().get_trial_system_attrs(trial_id) | self._listed.get(trial_id, {})
