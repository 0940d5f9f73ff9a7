"""A study: what a search writes to as it goes, and everyone reads from."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from nas.errors import InputError
from nas.study.artifacts import StoredFile
from nas.study.failures import UnreachableError
from nas.study.patience import patiently
from nas.study.records import (
    ArchitectureRecord,
    Claim,
    Counts,
    Evaluation,
    LostClaimError,
    Measurement,
    State,
    StudySettings,
)
from nas.study.rows import architecture_of, evaluation_of, measurement_of, row_of
from nas.study.storage import Storage
from nas.study.tables import EVERY_CASE, ArchitectureRow, ArtifactRow, EvaluationRow, MeasurementRow, StudyRow

if TYPE_CHECKING:
    import optuna

CHECKPOINT = "checkpoint"
"""The kind of the artifact from which a training goes on."""


@dataclass(frozen=True)
class Study:
    """One study in a storage. Made by `create_or_resume` and `open_study`.

    Each method is one transaction, and raises `InputError` where the database is full or out of reach.
    """

    storage: Storage
    id: int
    created: datetime
    settings: StudySettings
    claim: Claim | None = None
    """What this worker holds. A study in hand of a worker writes to that evaluation alone, while the claim is good."""

    @property
    def name(self) -> str:
        """What `--study` calls it."""
        return self.settings.name

    def holding(self, claim: Claim) -> "Study":
        """The study as the holder of a claim writes to it; see `LostClaimError`."""
        return replace(self, claim=claim)

    def optuna_study(self, sampler: "optuna.samplers.BaseSampler | None" = None) -> "optuna.Study":
        """Optuna's study of the same name, made on first use. It maximizes."""
        import optuna

        backend = self.storage.optuna
        with self.storage.guarded():
            return optuna.create_study(
                storage=backend, study_name=self.name, direction="maximize", sampler=sampler, load_if_exists=True
            )

    @patiently
    def record_architecture(self, architecture: ArchitectureRecord) -> None:
        """Keep a network's description and cost. One known already stays as it is, but for a graph that it lacks."""
        try:
            with self.storage.begin() as session:
                known = session.get(ArchitectureRow, architecture.digest)
                if known is None:
                    session.add(ArchitectureRow(**vars(architecture)))
                elif not known.graph:
                    known.graph = architecture.graph
        except IntegrityError:  # another worker was a moment faster
            self.architecture(architecture.digest)

    def _fence(self, session: Session, evaluation: int) -> None:
        """Refuse to write where the claim is lost, and keep anyone from taking it while this transaction runs.

        It is the transaction's first statement and a write, so that SQLite locks here and not halfway.

        Raises:
            LostClaimError: another worker has taken the evaluation up.
        """
        if self.claim is None:
            return
        held = (EvaluationRow.id == self.claim.evaluation) & (EvaluationRow.claim == self.claim.number)
        own = update(EvaluationRow).where(held, EvaluationRow.state == State.RUNNING)
        kept = session.scalar(own.values(claim=self.claim.number).returning(EvaluationRow.id))
        if kept is None or kept != evaluation:
            raise LostClaimError(f"evaluation {evaluation} is no longer this worker's")

    @patiently
    def measure(self, evaluation: int, measurements: Iterable[Measurement]) -> None:
        """Store measurements, all at once. One made again (after a crash) replaces what it said before."""
        rows = [row_of(evaluation, measurement) for measurement in measurements]
        if not rows:
            return
        key = inspect(MeasurementRow).primary_key
        same = delete(MeasurementRow).where(*(column == bindparam(f"same_{column.name}") for column in key))
        with self.storage.begin() as session:
            self._fence(session, evaluation)
            session.connection().execute(same, [{f"same_{c.name}": row[c.name] for c in key} for row in rows])
            session.execute(insert(MeasurementRow), rows)

    def add_artifact(self, evaluation: int, kind: str, path: Path) -> Path:
        """Move a file into the study's folder and return where it is now. One file per evaluation and kind is kept.

        Raises:
            InputError: the file cannot be read or kept.
        """
        stored = self.storage.bring_in(path, self.name, evaluation, kind)
        self._name_artifact(evaluation, kind, stored)
        return self.storage.artifacts / stored.address

    @patiently
    def _name_artifact(self, evaluation: int, kind: str, stored: StoredFile) -> None:
        of_kind = (ArtifactRow.evaluation_id == evaluation) & (ArtifactRow.kind == kind)
        with self.storage.begin() as session:
            self._fence(session, evaluation)
            before = session.scalar(select(ArtifactRow.address).where(of_kind))
            session.execute(delete(ArtifactRow).where(of_kind))
            session.add(ArtifactRow(evaluation_id=evaluation, kind=kind, **vars(stored)))
        if before is not None and before != stored.address:
            self.storage.remove(before)

    def keep_checkpoint(self, evaluation: int, path: Path) -> Path:
        """Move a checkpoint in; it takes the place of the one before. It goes when the evaluation ends.

        Raises:
            LostClaimError: another worker has taken the evaluation up.
            InputError: the file cannot be read or kept.
        """
        return self.add_artifact(evaluation, CHECKPOINT, path)

    def checkpoint(self, evaluation: int) -> Path | None:
        """The latest checkpoint of an evaluation. None if there is none, or none that is whole: begin again then."""
        try:
            return self.artifact(evaluation, CHECKPOINT)
        except UnreachableError:
            raise
        except InputError:
            return None

    @patiently
    def drop_artifact(self, evaluation: int, kind: str) -> None:
        """Delete an evaluation's file of a kind, if there is one."""
        of_kind = (ArtifactRow.evaluation_id == evaluation) & (ArtifactRow.kind == kind)
        with self.storage.begin() as session:
            address = session.scalar(delete(ArtifactRow).where(of_kind).returning(ArtifactRow.address))
        if address is not None:
            self.storage.remove(address)

    def evaluations(self, *states: State) -> list[Evaluation]:
        """All evaluations in the order of their trials, or those in some states."""
        return self._read(EvaluationRow.state.in_(states)) if states else self._read()

    def select(
        self, *, states: Sequence[State], references_only: bool, order: str, descending: bool, limit: int | None
    ) -> list[Evaluation]:
        """Evaluations filtered and sorted; what has no value in the field sorted by comes last."""
        column = getattr(ArchitectureRow if order in ("parameters", "macs") else EvaluationRow, order)
        conditions = [EvaluationRow.state.in_(states)] if states else []
        conditions += [EvaluationRow.reference.is_not(None)] if references_only else []
        sorting = (column.is_(None), column.desc() if descending else column)
        return self._read(*conditions, order=sorting, limit=limit)

    def latest(self, state: State, most: int) -> list[Evaluation]:
        """The evaluations of a state that ended last, so many at most, the last one first."""
        row = EvaluationRow
        return self._read(row.state == state, order=(row.finished.desc(), row.id.desc()), limit=most)

    def since(self, id: int, also: Collection[int]) -> list[Evaluation]:
        """The evaluations begun after one, and those of some ids that are no longer running or waiting."""
        row = EvaluationRow
        ended = row.id.in_(also) & row.state.not_in((State.RUNNING, State.WAITING))
        return self._read((row.id > id) | ended)

    @patiently
    def highest(self) -> int:
        """The id of the evaluation begun last; 0 if there is none."""
        with self.storage.begin() as session:
            return session.scalar(select(func.max(EvaluationRow.id)).where(EvaluationRow.study_id == self.id)) or 0

    def of_trials(self, trials: Sequence[int]) -> list[Evaluation]:
        """The evaluations of some trials."""
        return self._read(EvaluationRow.trial.in_(trials)) if trials else []

    def evaluation(self, id: int) -> Evaluation:
        """The evaluation of an id.

        Raises:
            InputError: this study has none of that id.
        """
        found = self._read(EvaluationRow.id == id)
        if not found:
            raise InputError(f"study {self.name!r} has no evaluation {id}")
        return found[0]

    def evaluation_of(self, digest: str, recipe_digest: str | None = None) -> Evaluation | None:
        """What this study knows of a network: a finished training, else why there was none, else nothing.

        Args:
            digest: the network's.
            recipe_digest: only trainings by this recipe.
        """
        row = EvaluationRow
        known = row.state.in_((State.COMPLETE, State.INFEASIBLE))  # in the order of the alphabet
        by = () if recipe_digest is None else (row.recipe_digest == recipe_digest,)
        found = self._read(row.digest == digest, known, *by, order=(row.state,), limit=1)
        return found[0] if found else None

    @patiently
    def past(self, most: int) -> list[Evaluation]:
        """What a sampler learns from, in the order of trials: all that ended or runs, or the best and the latest.

        Args:
            most: how many at most; half of them the best, so that what a sampler takes stays bounded.
        """
        row = EvaluationRow
        told = (State.COMPLETE, State.INFEASIBLE, State.DUPLICATE, State.RUNNING, State.WAITING)
        mine = (row.study_id == self.id) & row.state.in_(told)
        best = select(row.id).where(mine, row.state == State.COMPLETE).order_by(row.dice.desc(), row.id)
        latest = select(row.id).where(mine).order_by(row.trial.desc(), row.id)
        with self.storage.begin() as session:
            ids = set(session.scalars(best.limit(most // 2)))
            ids |= set(session.scalars(latest.where(row.id.not_in(ids)).limit(most - len(ids))))
        return self._read(row.id.in_(ids))

    @patiently
    def next_trial(self) -> int:
        """The number of the trial that comes next: those of all workers are counted."""
        with self.storage.begin() as session:
            highest = session.scalar(select(func.max(EvaluationRow.trial)).where(EvaluationRow.study_id == self.id))
        return 0 if highest is None else highest + 1

    @patiently
    def space_digest(self) -> str:
        """The digest of the space as it is now: another process may have widened it."""
        with self.storage.begin() as session:
            return session.scalars(select(StudyRow.space_digest).where(StudyRow.id == self.id)).one()

    @patiently
    def want(self, trials: int) -> None:
        """Note how many different networks are wanted in all, for workers that join later."""
        with self.storage.begin() as session:
            session.execute(update(StudyRow).where(StudyRow.id == self.id).values(wanted=trials))

    @patiently
    def wanted(self) -> int:
        """How many different networks are wanted in all; 0 if nobody has said."""
        with self.storage.begin() as session:
            return session.scalar(select(StudyRow.wanted).where(StudyRow.id == self.id)) or 0

    def references(self) -> list[Evaluation]:
        """The evaluations of published networks, whatever became of them."""
        return self._read(EvaluationRow.reference.is_not(None))

    def best(self) -> Evaluation | None:
        """The complete evaluation of the highest dice; of equals, the one of fewer parameters."""
        order = (EvaluationRow.dice.desc(), ArchitectureRow.parameters)
        found = self._read(EvaluationRow.state == State.COMPLETE, order=order, limit=1)
        return found[0] if found else None

    def ranking(self, best: int) -> list[tuple[int, Evaluation]]:
        """The best complete evaluations and those of published networks, with their ranks, best first."""
        row = EvaluationRow
        place = func.row_number().over(order_by=(row.dice.desc(), row.trial, row.id)).label("place")
        complete = (row.study_id == self.id) & (row.state == State.COMPLETE)
        ranked = select(row.id, row.reference, place).where(complete).subquery()
        shown = select(ranked.c.id, ranked.c.place).where((ranked.c.place <= best) | ranked.c.reference.is_not(None))
        places = self._places(shown)
        found = self._read(row.id.in_(places))
        return sorted(((places[each.id], each) for each in found), key=lambda each: each[0])

    @patiently
    def _places(self, statement: Select[tuple[int, int]]) -> dict[int, int]:
        with self.storage.begin() as session:
            rows: Sequence[Any] = session.execute(statement).all()
            return dict(rows)

    @patiently
    def counts(self) -> Counts:
        """How far the study is."""
        mine = EvaluationRow.study_id == self.id
        different = select(
            func.count(EvaluationRow.trial.distinct()),
            func.count(EvaluationRow.digest.distinct()).filter(EvaluationRow.state == State.COMPLETE),
        ).where(mine)
        by_state = select(EvaluationRow.state, func.count()).where(mine).group_by(EvaluationRow.state)
        with self.storage.begin() as session:
            trials, distinct = session.execute(different).one()
            found = dict(session.execute(by_state).all())
        return Counts(trials=trials, distinct=distinct, **{state: found.get(state, 0) for state in State})

    def summary(self) -> dict[str, Any]:
        """The study in a few words: what `nas search --json` and `nas best --json` print."""
        counts, best = self.counts(), self.best()
        shown = ("trial", "digest", "reference", "dice", "parameters", "macs")
        return {
            "study": self.name,
            "storage": self.storage.address,
            "trials": counts.trials,
            "distinct": counts.distinct,
            "infeasible": counts.infeasible,
            "best": best and {name: getattr(best, name) for name in shown} | {"recipe": best.decided_recipe},
        }

    @patiently
    def learning_curve(self, evaluation: int, metric: str | None = None) -> list[Measurement]:
        """What was measured over all cases, by epoch: every metric of every class, or one metric."""
        row = MeasurementRow
        statement = select(row).where(row.evaluation_id == evaluation, row.case_name == EVERY_CASE)
        if metric is not None:
            statement = statement.where(row.metric == metric)
        with self.storage.begin() as session:
            rows = session.scalars(statement.order_by(row.epoch, row.metric, row.class_index))
            return [measurement_of(row) for row in rows]

    @patiently
    def architecture(self, digest: str) -> ArchitectureRecord:
        """A network that some study has recorded.

        Raises:
            InputError: there is none of that digest.
        """
        with self.storage.begin() as session:
            row = session.get(ArchitectureRow, digest)
            if row is None:
                raise InputError(f"there is no architecture {digest!r} in {self.storage.address}")
            return architecture_of(row)

    def artifact(self, evaluation: int, kind: str) -> Path:
        """The path of a file that an evaluation left, after checking that it is unchanged.

        Raises:
            InputError: there is none, it is missing, it has changed, or its address leaves the folder.
        """
        return self.storage.locate(self._stored(evaluation, kind))

    @patiently
    def _stored(self, evaluation: int, kind: str) -> StoredFile:
        with self.storage.begin() as session:
            of_evaluation = select(ArtifactRow).where(ArtifactRow.evaluation_id == evaluation)
            rows = {row.kind: row for row in session.scalars(of_evaluation.order_by(ArtifactRow.kind))}
            if kind not in rows:
                has = ", ".join(rows) or "none"
                raise InputError(f"evaluation {evaluation} of {self.name!r} left no artifact {kind!r}; it has: {has}")
            return StoredFile(rows[kind].address, rows[kind].sha256, rows[kind].bytes)

    @patiently
    def _read(
        self, *conditions: ColumnElement[bool], order: tuple[Any, ...] = (), limit: int | None = None
    ) -> list[Evaluation]:
        statement = (
            select(EvaluationRow, ArchitectureRow.parameters, ArchitectureRow.macs)
            .outerjoin(ArchitectureRow)
            .where(EvaluationRow.study_id == self.id, *conditions)
            .order_by(*order, EvaluationRow.trial, EvaluationRow.id)
            .limit(limit)
        )
        with self.storage.begin() as session:
            return [evaluation_of(*found) for found in session.execute(statement)]
