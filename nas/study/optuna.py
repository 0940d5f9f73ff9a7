"""Optuna's tables as an image of a study, for its dashboard, its plots and whoever reads them.

The image is made from the study's history alone, through Optuna's public storage interface, and nothing of ours is read
from it. It is brought up to date after each step of a search; where it cannot be, it is made anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from nas.study.history import UNDERWAY, Document, History, State, Trial
from nas.study.objective import Objective
from nas.study.sql import reading
from nas.study.sql.locking import alone
from nas.study.sql.retrying import patiently
from nas.study.sql.study import SqlStudy
from nas.study.sql.tables import StudyRow

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
        if not afresh and not finished and _projected(study) == _revision(study):
            return
        since = History(cursor=0 if afresh else _projected(study))
        history = reading.history(study.storage, study.id, since)
        changed = history.trials
        if finished:
            paused = study.history().in_state(State.PAUSED)
            changed = tuple(sorted({trial.number: trial for trial in (*changed, *paused)}.values(), key=_number))
        try:
            if afresh:
                raise _ContradictionError
            _Image(study, backend, _study_id(study, backend), distributions, finished).update(changed)
        except _ContradictionError:
            _forget(study, backend)
            image = _Image(study, backend, _study_id(study, backend), distributions, finished)
            image.update(study.history().trials)
        _note_projected(study, history.cursor)


@dataclass(frozen=True)
class _Image:
    study: SqlStudy
    backend: "RDBStorage"
    study_id: int
    distributions: Distributions
    finished: bool

    def update(self, trials: Sequence[Trial]) -> None:
        """Make or change the images of these trials, in the order of their numbers."""
        size = self.backend.get_n_trials(self.study_id)
        for trial in trials:
            while size < trial.number:  # numbers that an earlier nas gave to proposals of which nothing came
                self._make_nothing()
                size += 1
            if trial.number == size:
                self.backend.create_new_trial(self.study_id, self._template(trial))
                size += 1
            else:
                self._change(trial)
            self._describe(trial)

    def _template(self, trial: Trial) -> "FrozenTrial":
        import optuna

        state, values = self._outcome(trial)
        decisions = trial.decisions or {}
        return optuna.trial.create_trial(
            state=state,
            values=values,
            params=decisions,
            distributions=dict(self.distributions(decisions)) if decisions else {},
            user_attrs=_attributes(trial),
            intermediate_values=_curve(trial, self.study.settings.goals),
            constraints=_constraints(trial),
        )

    def _make_nothing(self) -> None:
        import optuna

        self.backend.create_new_trial(self.study_id, optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL))

    def _change(self, trial: Trial) -> None:
        number = self.backend.get_trial_id_from_study_id_trial_number(self.study_id, trial.number)
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
        if state is not image.state or values:
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
            case State.DUPLICATE:
                return self._of_twin(trial)
        # Infeasible or diverged: there is no value; Optuna ranks by the constraints and asks for some.
        return TrialState.COMPLETE, [0.0] * len(goals)

    def _of_twin(self, trial: Trial) -> tuple["TrialState", list[float] | None]:
        """A duplicate has nothing to add: its twin's trial says it all."""
        from optuna.trial import TrialState

        return TrialState.FAIL, None

    def _describe(self, trial: Trial) -> None:
        """A note that optuna-dashboard shows beside the trial, where it is installed."""
        if trial.state in UNDERWAY or trial.refusal is not None:
            return
        try:
            from optuna_dashboard import save_note
        except ImportError:
            return
        import optuna

        number = self.backend.get_trial_id_from_study_id_trial_number(self.study_id, trial.number)
        study = optuna.load_study(study_name=self.study.name, storage=self.backend)
        save_note(optuna.trial.Trial(study, number), note(trial, self.study.settings.goals))


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
    told = {
        ORIGIN: str(trial.origin),
        STATE: str(trial.state),
        REFERENCE: trial.reference,
        PARENT: trial.parent,
        "parameters": trial.parameters,
        "macs": trial.macs,
        REASON: trial.cause[:_LONGEST_REASON] if trial.explanation else None,
    }
    return {name: value for name, value in told.items() if value is not None}


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


def _number(trial: Trial) -> int:
    return trial.number


def _study_id(study: SqlStudy, backend: "RDBStorage") -> int:
    """Optuna's number of the study, which is made there on first use."""
    import optuna

    directions = [goal.direction for goal in study.settings.goals]
    optuna.create_study(storage=backend, study_name=study.name, directions=directions, load_if_exists=True)
    return backend.get_study_id_from_name(study.name)


def _forget(study: SqlStudy, backend: "RDBStorage") -> None:
    import optuna

    if study.name in optuna.get_all_study_names(backend):
        optuna.delete_study(study_name=study.name, storage=backend)


def _projected(study: SqlStudy) -> int:
    with study.storage.begin() as session:
        return session.scalars(select(StudyRow.projected).where(StudyRow.id == study.id)).one()


def _revision(study: SqlStudy) -> int:
    with study.storage.begin() as session:
        return session.scalars(select(StudyRow.revision).where(StudyRow.id == study.id)).one()


def _note_projected(study: SqlStudy, revision: int) -> None:
    with study.storage.begin() as session:
        session.execute(update(StudyRow).where(StudyRow.id == study.id).values(projected=revision))
