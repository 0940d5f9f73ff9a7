"""All that a report is made from, read once; whatever it shows is a pure function of this."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from nas.confirming.statistics import mean_of_defined
from nas.report.chance import Chance
from nas.study.history import TRAINED, UNDERWAY, History, Measurement, Run, Split, State, Trial
from nas.study.objective import Objective, ranked
from nas.study.settings import StudySettings
from nas.wording import percent

Array = npt.NDArray[np.float64]
ENOUGH = 20
"""Networks that say something of their kind; where fewer were trained to the end, shorter trainings are looked at."""


class Role(StrEnum):
    """What a network is in a report."""

    WINNER = "the best"
    PUBLISHED = "published"
    SEARCHED = "proposed by the search"


@dataclass(frozen=True, eq=False)
class CaseScores:
    """Dice of a run's cases: (cases, targets), NaN where a structure is absent."""

    cases: tuple[str, ...]
    values: Array

    @property
    def by_case(self) -> Array:
        """The mean of each case over its targets."""
        return mean_of_defined(self.values)


@dataclass(frozen=True)
class Drawing:
    """A network's picture as the text of an SVG file."""

    name: str
    svg: str


@dataclass(frozen=True)
class Sample:
    """Networks that were trained equally long, as they stood then, best first; share: of the whole training."""

    trials: tuple[Trial, ...]
    share: float

    @property
    def stage(self) -> str:
        """When that was, in words: "trained to the end", or "after 6% of the training"."""
        return "trained to the end" if self.share >= 1 else f"after {percent(self.share)} of the training"


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """A study as it stood at a moment.

    scores: of the runs whose cases are shown, by the run's id. drawings: by trial. beside: a network that readers know,
    to be drawn beside the winner. source: the winner's as Python. wanted: networks that are to be trained in all, 0 if
    nobody has said. storage: what is to be typed to open it, "" for the usual place. chance: networks of a study of
    random search, where one was named.
    """

    settings: StudySettings
    history: History
    scores: Mapping[int, CaseScores] = field(default_factory=dict)
    drawings: Mapping[int, Drawing] = field(default_factory=dict)
    beside: Drawing | None = None
    source: str | None = None
    wanted: int = 0
    storage: str = ""
    chance: Chance | None = None
    moment: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    @property
    def goals(self) -> tuple[Objective, ...]:
        """What the search is after."""
        return self.settings.goals

    @property
    def metric(self) -> str:
        """The metric that ranks first."""
        return self.goals[0].metric

    @cached_property
    def order(self) -> tuple[Trial, ...]:
        """Trials that were scored, best first: those that were trained to the end, then those that came far."""
        return tuple(ranked(self.history, self.goals))

    @cached_property
    def complete(self) -> tuple[Trial, ...]:
        """Those that were trained to the end, best first."""
        return tuple(trial for trial in self.order if trial.state is State.COMPLETE)

    @cached_property
    def sample(self) -> "Sample":
        """Networks that compare, for they were trained equally long: as long as enough of them were."""
        samples = [self._sample(rung) for rung in range(len(self.settings.rungs))][::-1]
        enough = (sample for sample in samples if len(sample.trials) >= ENOUGH)
        return next(enough, max(samples, key=lambda sample: len(sample.trials)))

    def _sample(self, rung: int) -> "Sample":
        shares = self.settings.rungs
        if rung == len(shares) - 1:
            return Sample(self.complete, 1.0)
        reached = (trial.as_of(rung) for trial in self.history.trials if trial.latest is not None)
        there = History(tuple(trial for trial in reached if trial.latest and trial.latest.key.rung == rung))
        return Sample(tuple(ranked(there, self.goals)), shares[rung])

    @property
    def winner(self) -> Trial | None:
        """The trial that ranks first."""
        return self.order[0] if self.order else None

    @cached_property
    def best_published(self) -> Trial | None:
        """The published network that ranks first."""
        return next((trial for trial in self.order if trial.reference is not None), None)

    @cached_property
    def rival(self) -> Trial | None:
        """Whom the winner is held against: the best published network, or the best other one where that has won."""
        if self.winner is None or self.winner is not self.best_published:
            return self.best_published
        return self.order[1] if len(self.order) > 1 else None

    @cached_property
    def trained(self) -> tuple[Trial, ...]:
        """Trials that were trained, to the end or to a rung."""
        return self.history.in_state(*TRAINED)

    @cached_property
    def underway(self) -> tuple[Trial, ...]:
        """Trials that are in training or wait for it."""
        return self.history.in_state(*UNDERWAY)

    @cached_property
    def names_of_digests(self) -> Mapping[str | None, str]:
        """The names of published networks by their digests."""
        return {trial.digest: trial.reference for trial in self.history.published if trial.reference}

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Names of the classes or regions that are scored."""
        described = self.settings.data_fingerprint
        entries = described.get("regions") or described.get("classes", [])[1:]
        return tuple(str(entry["name"]) for entry in entries)

    def name(self, trial: Trial) -> str:
        """What a network is called."""
        return trial.reference or f"trial {trial.number}"

    def role(self, trial: Trial) -> Role:
        """What a network is."""
        if self.winner is not None and trial.number == self.winner.number:
            return Role.WINNER
        return Role.PUBLISHED if trial.reference is not None else Role.SEARCHED

    def value(self, trial: Trial) -> float | None:
        """What a trial has reached of the first metric."""
        return self.goals[0].value(trial)

    def leading(self, share: float = 0.2, least: int = 3) -> tuple[Trial, ...]:
        """The best of those that compare: such a share of them, and no fewer than `least`."""
        return self.sample.trials[: max(round(len(self.sample.trials) * share), least)]

    def scores_of(self, trial: Trial | None) -> CaseScores | None:
        """The cases of a trial's latest run in the search, where they were measured."""
        return None if trial is None or trial.latest is None else self.scores.get(trial.latest.id)


def confirming_runs(trial: Trial) -> tuple[Run, ...]:
    """Complete runs of other folds, seeds and splits than that by which the search chose."""
    latest = trial.latest
    line = set() if latest is None else {run.id for run in trial.runs_at(latest.key)}
    others = (run for run in trial.runs if run.id not in line and run.key.split is not Split.ALL)
    return tuple(run for run in others if run.state is State.COMPLETE)


def scores_of(measured: list[Measurement]) -> CaseScores | None:
    """What was measured of single cases as a table; None where nothing was."""
    rows = [point for point in measured if point.case is not None and point.class_index is not None]
    if not rows:
        return None
    last = max(point.epoch for point in rows)
    cases = sorted({str(point.case) for point in rows if point.epoch == last})
    place = {case: number for number, case in enumerate(cases)}
    values = np.full((len(cases), max(point.class_index or 0 for point in rows)), np.nan)
    for point in rows:
        if point.epoch == last and point.class_index:
            values[place[str(point.case)], point.class_index - 1] = point.value
    return CaseScores(tuple(cases), values)
