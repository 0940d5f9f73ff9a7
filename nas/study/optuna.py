"""Optuna's tables as an image of a study, for its dashboard, its plots and whoever reads them.

The image is made from the study's history alone, through Optuna's public storage interface, and nothing of ours is read
from it. It is brought up to date after each step of a search; where it cannot be, it is made anew.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, update

from nas.errors import InputError
from nas.study.history import UNDERWAY, Document, History, State, Trial
from nas.study.objective import Objective
from nas.study.sql import reading
from nas.study.sql.locking import alone
from nas.study.sql.retrying import patiently
from nas.study.sql.storage import Storage
from nas.study.sql.study import SqlStudy
from nas.study.sql.tables import StudyRow, TrialRow

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial, TrialState

Distributions = Callable[[Document], Mapping[str, "BaseDistribution"]]
"""Optuna's distribution of each of some decisions."""
ORIGIN, REFERENCE, PARENT, STATE, REASON = "origin", "reference", "parent", "state", "reason"
"""The attributes of Optuna's trials that say what they are here."""
_LONGEST_REASON = 500
_PENALTY = 1.0
"""The constraint of a network that diverged: it has no value, and is told as infeasible."""


class _ContradictionError(Exception):
    """Optuna has a trial that is not ours, or has ended otherwise: the image must be made anew."""


@patiently
def project(study: SqlStudy, distributions: Distributions, *, finished: bool = False, afresh: bool = False) -> None:
    """Bring Optuna's study of the same name up to what is known. Doing it again does nothing.

    Args:
        study: which one.
        distributions: Optuna's distribution of each of some decisions of the study's space.
        finished: whether the search is over: paused trials are shown as pruned then, and before that as waiting.
        afresh: make all of it anew, as after the space was widened.
    """
    backend = study.storage.optuna
    with study.storage.guarded(), alone(study.storage.engine):
        revision, projected = _standing(study)
        if projected == revision and not afresh and not finished:
            return
        try:
            if afresh:
                raise _ContradictionError
            least = _last(study)
            history = reading.history(study.storage, study.id, History(cursor=projected))
            image = _Image(study, backend, _study_id(study, backend), distributions, finished, history.cursor)
            image.update(_changed(study, history, finished), fill=projected == 0)
            image.expect(least, _last(study))
        except _ContradictionError:
            _forget(study, backend)
            history = study.history()
            image = _Image(study, backend, _study_id(study, backend), distributions, finished, history.cursor)
            image.update(history.trials, fill=True)
        _note_projected(study, history.cursor)


@dataclass(frozen=True)
class _Image:
    study: SqlStudy
    backend: "RDBStorage"
    study_id: int
    distributions: Distributions
    finished: bool
    revision: int

    def update(self, trials: Sequence[Trial], *, fill: bool) -> None:
        """Make or change the images of these trials, in the order of their numbers.

        Args:
            trials: those that are new or have changed.
            fill: whether numbers that no trial has are those that an earlier nas gave to proposals of which nothing
                came; otherwise a trial that is missing there is a contradiction.
        """
        for trial in trials:
            number = self._find(trial.number)
            if number is None:
                number = self._make(trial, fill=fill)
            else:
                self._change(trial, number)
            self._describe(trial, number)

    def expect(self, least: int, most: int) -> None:
        """See that Optuna's highest number is one of these, -1 if it has no trial."""
        if (least >= 0 and self._find(least) is None) or self._find(most + 1) is not None:
            raise _ContradictionError

    def _find(self, number: int) -> int | None:
        """Optuna's identity of the trial of a number."""
        try:
            return self.backend.get_trial_id_from_study_id_trial_number(self.study_id, number)
        except KeyError:
            return None

    def _make(self, trial: Trial, *, fill: bool) -> int:
        while trial.number and self._find(trial.number - 1) is None:
            if not fill:
                raise _ContradictionError
            self._make_nothing()
        number = self.backend.create_new_trial(self.study_id, self._template(trial))
        if self.backend.get_trial_number_from_id(number) != trial.number:
            raise _ContradictionError
        return number

    def _template(self, trial: Trial) -> "FrozenTrial":
        import optuna

        state, values = self._outcome(trial)
        decisions = trial.decisions or {}
        template = optuna.trial.create_trial(
            state=state,
            values=values,
            params=decisions,
            distributions=dict(self.distributions(decisions)) if decisions else {},
            user_attrs=_attributes(trial),
            intermediate_values=_curve(trial, self.study.settings.goals),
            constraints=_constraints(trial),
        )
        _date(template, trial)
        return template

    def _make_nothing(self) -> None:
        import optuna

        self.backend.create_new_trial(self.study_id, optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))

    def _change(self, trial: Trial, number: int) -> None:
        image = self.backend.get_trial(number)
        state, values = self._outcome(trial)
        if dict(image.params) != (trial.decisions or {}):
            raise _ContradictionError
        if image.state.is_finished():
            if (image.state, image.values) != (state, values):
                raise _ContradictionError
            return
        for step, value in _curve(trial, self.study.settings.goals).items():
            if step not in image.intermediate_values:
                self.backend.set_trial_intermediate_value(number, step, value)
        for name, value in _attributes(trial).items():
            if image.user_attrs.get(name) != value:
                self.backend.set_trial_user_attr(number, name, value)
        self._constrain(trial, number, image)
        if state is not image.state:
            self.backend.set_trial_state_values(number, state, values)

    def _constrain(self, trial: Trial, number: int, image: "FrozenTrial") -> None:
        import optuna

        missing = {name: value for name, value in _constraints(trial).items() if name not in image.constraints}
        if missing:
            study = optuna.load_study(study_name=self.study.name, storage=self.backend)
            for name, value in missing.items():
                optuna.trial.Trial(study, number).set_constraint(name, value)

    def _outcome(self, trial: Trial) -> tuple["TrialState", list[float] | None]:
        from optuna.trial import TrialState

        goals = self.study.settings.goals
        match trial.state:
            case State.RUNNING | State.WAITING:
                return TrialState.RUNNING, None
            case State.PAUSED:
                return (TrialState.PRUNED if self.finished else TrialState.WAITING), None
            case State.FAILED:
                return TrialState.FAIL, None
            case State.COMPLETE:
                return TrialState.COMPLETE, [goal.value(trial) or 0.0 for goal in goals]
            case State.DUPLICATE:  # it has nothing to add: its twin says it all
                return TrialState.FAIL, None
        # Infeasible or diverged: there is no value; Optuna ranks by the constraints and asks for some.
        return TrialState.COMPLETE, [0.0] * len(goals)

    def _describe(self, trial: Trial, number: int) -> None:
        """A note that optuna-dashboard shows beside the trial.

        It keeps notes among the study's attributes under these names; its own function reads all of them for each one
        that it writes.
        """
        if trial.state in UNDERWAY or trial.refusal is not None:
            return
        self.backend.set_study_system_attr(self.study_id, f"dashboard:{number}:note_ver", self.revision)
        words = note(trial, self.study.settings.goals)
        self.backend.set_study_system_attr(self.study_id, f"dashboard:{number}:note_str:0", words)


def image_number(storage: Storage, name: str) -> int:
    """Optuna's number of a study.

    Raises:
        InputError: no step of a search has made its image yet.
    """
    try:
        return storage.optuna.get_study_id_from_name(name)
    except KeyError:
        raise InputError(f"study {name!r} has no trial yet that could be shown; wait for the first one") from None


def note(trial: Trial, goals: Sequence[Objective]) -> str:
    """A trial in a few lines of Markdown, names from outside as code, which nothing interprets."""
    name = trial.reference or f"trial {trial.number}"
    lines = [f"**`{name.replace('`', chr(39))}`** ({trial.origin}), {trial.state}"]
    lines += [f"- {goal.metric}: {goal.value(trial):.4f}" for goal in goals if goal.value(trial) is not None]
    if trial.parameters is not None:
        lines.append(f"- {trial.parameters:,} parameters, {trial.macs or 0:,} MACs")
    if trial.seconds:
        lines.append(f"- trained in {trial.seconds:.1f} s")
    if trial.parent is not None:
        lines.append(f"- changed from trial {trial.parent}")
    if trial.explanation:
        lines.append(f"- `{trial.cause.replace('`', chr(39))[:_LONGEST_REASON]}`")
    return "\n".join(lines)


def _attributes(trial: Trial) -> dict[str, Any]:
    attributes = {
        ORIGIN: str(trial.origin),
        STATE: str(trial.state),
        REFERENCE: trial.reference,
        PARENT: trial.parent,
        "parameters": trial.parameters,
        "macs": trial.macs,
        REASON: trial.cause[:_LONGEST_REASON] if trial.explanation else None,
    }
    return {name: value for name, value in attributes.items() if value is not None}


def _constraints(trial: Trial) -> dict[str, float]:
    extra = {"diverged": _PENALTY} if trial.state is State.DIVERGED else {}
    return {**trial.constraints, **extra}


def _curve(trial: Trial, goals: Sequence[Objective]) -> dict[int, float]:
    """What was measured on the way: of the first objective on training patches, and where it was not, of the loss."""
    points = [point for run in trial.runs if trial.latest and run.id == trial.latest.id for point in run.curve]
    for metric in (f"training_{goals[0].metric}", "loss"):
        values = {point.epoch: point.value for point in points if point.metric == metric}
        if values:
            return values
    return {}


def _date(template: "FrozenTrial", trial: Trial) -> None:
    """Say when a trial began and ended, on this machine's clock, as Optuna does."""
    run = trial.latest
    began, ended = (run.started, run.finished) if run else (trial.created, trial.created)
    if began is not None and template.datetime_start is not None:
        template.datetime_start = began.astimezone().replace(tzinfo=None)
    if ended is not None and template.datetime_complete is not None:
        template.datetime_complete = ended.astimezone().replace(tzinfo=None)


def _changed(study: SqlStudy, history: History, finished: bool) -> Sequence[Trial]:
    """Trials whose images may be other ones now: at the end of a search, all that are paused among them."""
    paused = study.history().in_state(State.PAUSED) if finished else ()
    return History(paused).grown(history.trials, history.cursor).trials


def _study_id(study: SqlStudy, backend: "RDBStorage") -> int:
    """Optuna's number of the study, which is made there on first use."""
    import optuna

    try:
        return backend.get_study_id_from_name(study.name)
    except KeyError:
        goals = study.settings.goals
        image = optuna.create_study(
            storage=backend, study_name=study.name, directions=[goal.direction for goal in goals]
        )
        with warnings.catch_warnings():  # it is called experimental since 2023
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            image.set_metric_names([goal.metric for goal in goals])
        return backend.get_study_id_from_name(study.name)


def _forget(study: SqlStudy, backend: "RDBStorage") -> None:
    import optuna

    if study.name in optuna.get_all_study_names(backend):
        optuna.delete_study(study_name=study.name, storage=backend)


def _standing(study: SqlStudy) -> tuple[int, int]:
    """How often the study has changed, and up to which change it is projected."""
    with study.storage.begin() as session:
        row = session.execute(select(StudyRow.revision, StudyRow.projected).where(StudyRow.id == study.id)).one()
        return row.revision, row.projected


def _last(study: SqlStudy) -> int:
    """The highest number of a trial, -1 if there is none."""
    with study.storage.begin() as session:
        last = session.scalar(select(func.max(TrialRow.number)).where(TrialRow.study_id == study.id))
        return -1 if last is None else last


def _note_projected(study: SqlStudy, revision: int) -> None:
    with study.storage.begin() as session:
        session.execute(update(StudyRow).where(StudyRow.id == study.id).values(projected=revision))
