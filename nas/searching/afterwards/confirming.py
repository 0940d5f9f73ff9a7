"""Whether what a search found is really better: trained again, on every fold, beside what has to be beaten."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch

from nas.architecture import EncoderDecoder
from nas.confirming import Scores
from nas.confirming.comparing import MARGIN
from nas.confirming.judging import Judged, judge
from nas.confirming.per_case import expect_cases, matched, read_per_case
from nas.data import Dataset
from nas.errors import InputError, field_named
from nas.network.device import pick_device
from nas.searching.afterwards.averages import averaged_values, lacking, score_average
from nas.searching.afterwards.carrying import carry_out, time_in_words
from nas.searching.afterwards.contest import (
    Contest,
    Entrant,
    contest,
    enter,
    name_of,
    names_of,
    plain_entry,
    start_of,
    tried,
)
from nas.searching.afterwards.measured import ALL, is_held_out, measured_values, scores_of, structures_of, unfinished
from nas.searching.afterwards.together import better_together
from nas.searching.assignments.assigned import dataset_of, folds_of
from nas.searching.assignments.assignment import ASSIGNMENT, Assignment, keys_of_folds, seeds_for, write_down
from nas.searching.evaluators.assigned import full_length
from nas.searching.evaluators.trained import TrainedEvaluator
from nas.searching.events import Listener, Note, Working
from nas.searching.settings import SearchSettings
from nas.searching.setup.folds import Folds
from nas.searching.setup.ground import bare_ground
from nas.searching.setup.spaces import space_of
from nas.space import Space
from nas.study.history import History, RunKey, Split
from nas.study.looks import held_out, look
from nas.study.sql.study import SqlStudy

PURPOSE = "confirm"
FOLDS = "folds"
HELD_OUT = "held-out cases"


@dataclass(frozen=True, kw_only=True)
class ConfirmSettings:
    """What is to be confirmed, and how surely.

    top: how many of the best networks. folds and seeds: of each network's trainings. seconds: of each training; None is
    the study's full length. budget: seconds of all trainings, instead. holdout: whether held-out cases are looked at.
    against: results case by case of another tool, in a CSV. column: of it, where not all are wanted. margin: what a
    network may be worse by and still be called no worse.
    """

    top: int = 3
    folds: int = 5
    seeds: int = 2
    seconds: float | None = None
    budget: float | None = None
    holdout: bool = True
    against: Path | None = None
    column: str | None = None
    margin: float = MARGIN

    def __post_init__(self) -> None:
        for name, least in (("top", 1), ("folds", 2), ("seeds", 1)):
            if getattr(self, name) < least:
                raise InputError(f"{field_named(name)}: found {getattr(self, name)}, expected {least} or more")
        if self.seconds is not None and self.budget is not None:
            raise InputError(f"{field_named('length')}: found with {field_named('budget')}; give one of them")
        if not 0 < self.margin < 1:
            raise InputError(f"{field_named('margin')}: found {self.margin}, expected a part of a Dice, as 0.01")


@dataclass(frozen=True)
class Part:
    """What was judged on one kind of cases: those of all folds, or the held-out ones; all structures first."""

    cases: str
    judged: tuple[Judged, ...]
    scores: Mapping[str, tuple[Scores, ...]]


@dataclass(frozen=True)
class Cost:
    """What a network costs: weights, multiply-accumulates a patch, seconds of a training in the mean; or several do."""

    name: str
    trials: tuple[int, ...]
    parameters: int
    macs: int
    seconds: float


@dataclass(frozen=True)
class Confirmed:
    """What came of it. left_out: networks that could not be trained so, and why. looks: at held-out cases, by now."""

    study: str
    networks: tuple[Cost, ...]
    parts: tuple[Part, ...]
    left_out: tuple[str, ...]
    seconds: float | None
    held_out: Mapping[str, int]

    def to_json(self) -> dict[str, Any]:
        """Everything but the scores of each case, as JSON."""
        return {
            "study": self.study,
            "seconds_each": self.seconds,
            "networks": [vars(network) | {"trials": list(network.trials)} for network in self.networks],
            "parts": [{"cases": part.cases, "judged": [j.to_json() for j in part.judged]} for part in self.parts],
            "left_out": list(self.left_out),
            "held_out": dict(self.held_out),
        }


def confirm(study: SqlStudy, wishes: ConfirmSettings, machine: SearchSettings, listener: Listener) -> Confirmed:
    """Train what a search found, and what it has to beat, on every fold with several seeds, and compare them.

    What was trained so before is not trained again, and what was interrupted goes on.

    Args:
        study: of a search.
        wishes: what is to be confirmed.
        machine: its space and data where they are files of the user's, workers, devices, cache.
        listener: hears what happens.

    Raises:
        InputError: there is nothing to compare, more folds than the data have, another data set or space, or a CSV
            whose cases do not match.
        KeyboardInterrupt: stopped; the same command goes on.
    """
    others = {} if wishes.against is None else read_per_case(wishes.against, wishes.column)
    return _Confirming(study, wishes, machine, listener, others).confirmed()


@dataclass
class _Confirming:
    """One confirmation on its way."""

    study: SqlStudy
    wishes: ConfirmSettings
    machine: SearchSettings
    listener: Listener
    others: Mapping[str, Mapping[str, float]]

    def confirmed(self) -> Confirmed:
        trials = self._trials()
        assignment = self._assignment(trials)
        if len(assignment.ended(self.study.history())) < len(assignment.jobs):
            self._train(assignment)
        self._average(trials, assignment)
        return _judged(self.study, assignment, trials, self.wishes, self.others)

    @cached_property
    def space(self) -> Space[EncoderDecoder]:
        return space_of(self.study.settings, self.machine.space)

    @cached_property
    def dataset(self) -> Dataset:
        """The study's data, unchanged."""
        return dataset_of(self.study, self.machine, self.listener)

    @cached_property
    def folds(self) -> Folds:
        """The cases, in as many folds as are wanted; nothing of them is in memory yet."""
        neighbours, device = self.study.settings.plan["slices"], torch.device("cpu")
        folds = folds_of(self.study, self.dataset, neighbours, self.machine.cache, device, self.listener)
        folds.expect(self.wishes.folds)
        for name, values in self.others.items():
            expect_cases(self._scored(folds), values, f"{self.wishes.against}, {name}")
        return folds

    def _scored(self, folds: Folds) -> list[str]:
        """The cases that are going to be scored."""
        searched = folds.searched
        scored = [name for fold in range(self.wishes.folds) for name in searched.split(fold).validation]
        return scored + [*self.study.settings.held_out] * self.looks

    @property
    def looks(self) -> bool:
        """Whether held-out cases are scored."""
        return self.wishes.holdout and bool(self.study.settings.held_out)

    @property
    def groups(self) -> Mapping[str, str]:
        """Whose the cases are, where any belong together."""
        groups = self.folds.data.groups
        return {} if len(set(groups.values())) == len(groups) else groups

    def _trials(self) -> Contest:
        """Who is compared; the plain network enters the study where the search did not try it."""
        study, goals, top = self.study, self.study.settings.goals, self.wishes.top
        ground = bare_ground(study.settings, self.space)
        entry, history = plain_entry(ground), study.history()
        average, others = better_together(history, study.settings), bool(self.others)
        compared = partial(contest, goals=goals, top=top, average=average, others=others)
        if entry is None:
            return self._fixed(compared(history, plain=None), 0)
        if any(trial.reference == entry.name for trial in history.published):
            return self._fixed(compared(history, plain=tried(history, entry)), 0)
        self._fixed(compared(history, plain=None), 1)
        _ = self.folds  # nothing enters the study where its data or folds are refused
        start = start_of(ground, entry)
        description = TrainedEvaluator(ground, torch.device("cpu")).describe(start.decisions)
        plain = enter(study, start, description, RunKey(0, self.seeds[0], Split.CONFIRM))
        return compared(study.history(), plain=plain)

    def _fixed(self, chosen: Contest, more: int) -> Contest:
        """Fix the length of trainings, now that their number is known."""
        trials = len(chosen.trials) + more
        wishes, settings = self.wishes, self.study.settings
        self.seconds = wishes.seconds or full_length(settings.recipe, settings.plan)
        if wishes.budget is not None:
            runs = trials * wishes.seeds * (wishes.folds + self.looks)
            self.seconds = round(wishes.budget * self.machine.at_once / runs, 1)
        return chosen

    @cached_property
    def seeds(self) -> tuple[int, ...]:
        return seeds_for(self.study, self.seconds, self.wishes.seeds)

    def _assignment(self, trials: Contest) -> Assignment:
        keys = keys_of_folds(self.wishes.folds, self.seeds)
        if self.looks:
            keys += tuple(RunKey(0, seed, Split.HOLDOUT) for seed in self.seeds)
        assignment = Assignment(PURPOSE, trials.trials, keys, self.seconds)
        if len(assignment.ended(self.study.history())) < len(assignment.jobs):
            return replace(assignment, groups=self.groups)
        lines = [Assignment.from_json(line.content) for line in self.study.journal(ASSIGNMENT)]
        return replace(assignment, groups=next((line.groups for line in lines if line.groups), {}))

    def _train(self, assignment: Assignment) -> None:
        number = write_down(self.study, assignment)
        for line in self._announced(assignment, number):
            self.listener(Note(line))
        if any(is_held_out(key) for key in assignment.keys):
            look(self.study, PURPOSE, [(trial, seed) for trial in assignment.trials for seed in self.seeds])
        carry_out(self.study, number, self.space, self.dataset, self.machine, self.listener)

    def _average(self, trials: Contest, assignment: Assignment) -> None:
        """Score the means of several networks where they are not scored yet."""
        missing = lacking(self.study, trials.averages, assignment.keys)
        if not missing:
            return
        device = pick_device(self.machine.slots[0])
        folds = replace(self.folds, device=device)
        ground = bare_ground(self.study.settings, self.space)
        for number, (entrant, key) in enumerate(missing):
            self.listener(Working("scoring averaged networks", number, len(missing)))
            score_average(self.study, entrant, key, ground, folds, device)

    def _announced(self, assignment: Assignment, number: int) -> Iterator[str]:
        history = self.study.history()
        names = names_of(history, assignment.trials)
        left = len(assignment.jobs) - len(assignment.ended(history))
        took = time_in_words(left, self.seconds, self.machine.at_once)
        yield f"confirming {'; '.join(names.values())}"
        yield f"{left} of {len(assignment.jobs)} trainings to do{took}; the same command goes on after a stop"
        yield f"more workers, here or elsewhere: nas worker --study {self.study.name} --assignment {number}"


def _judged(
    study: SqlStudy,
    assignment: Assignment,
    trials: Contest,
    wishes: ConfirmSettings,
    others: Mapping[str, Mapping[str, float]],
) -> Confirmed:
    history = study.history()
    kinds = {
        FOLDS: [key for key in assignment.keys if not is_held_out(key)],
        HELD_OUT: [key for key in assignment.keys if is_held_out(key)],
    }
    parts, left_out = [], []
    for cases, keys in kinds.items():
        if not keys:
            continue
        scores, problems = _scores(study, history, assignment.groups, trials, keys)
        left_out += [f"{problem} ({cases})" for problem in problems]
        parts.append(_part(cases, scores, trials, wishes, others))
    costs = tuple(_costs(history, assignment, trials))
    return Confirmed(study.name, costs, tuple(parts), tuple(left_out), assignment.seconds, held_out(study))


def _scores(
    study: SqlStudy, history: History, groups: Mapping[str, str], trials: Contest, keys: Sequence[RunKey]
) -> tuple[dict[Entrant, dict[str, Scores]], list[str]]:
    structures, names = structures_of(study.settings), names_of(history, trials.trials)
    scores, problems = {}, []
    for entrant in trials.entrants:
        name = name_of(entrant, names)
        several = len(entrant) > 1
        values = averaged_values(study, entrant, keys) if several else measured_values(study, history, entrant[0], keys)
        measured = scores_of(name, values, keys, structures, groups)
        if measured is not None:
            scores[entrant] = measured
        elif several:
            problems.append(f"{name}: not all of its networks could be trained")
        else:
            problems.append(f"{name}: {unfinished(history, entrant[0], keys)}")
    return scores, problems


def _part(
    cases: str,
    scores: Mapping[Entrant, Mapping[str, Scores]],
    trials: Contest,
    wishes: ConfirmSettings,
    others: Mapping[str, Mapping[str, float]],
) -> Part:
    finalists = [scores[entrant] for entrant in trials.finalists if entrant in scores]
    baselines = [scores[entrant] for entrant in trials.baselines if entrant in scores]
    if not finalists or not (baselines or others):
        raise InputError(
            f"{cases}: {len(finalists)} finalists and {len(baselines)} published networks could be trained; expected "
            "one of each at least; see nas trials for what happened"
        )
    judged, by_structure = [], {}
    for structure in finalists[0]:
        ours, theirs = [part[structure] for part in finalists], [part[structure] for part in baselines]
        if structure == ALL:
            theirs += [matched(ours[0], values, name, str(wishes.against)) for name, values in others.items()]
        by_structure[structure] = (*ours, *theirs)
        judged.append(judge(structure, ours, theirs, margin=wishes.margin))
    return Part(cases, tuple(judged), by_structure)


def _costs(history: History, assignment: Assignment, trials: Contest) -> Iterator[Cost]:
    ended, names = assignment.ended(history), names_of(history, trials.trials)
    for entrant in trials.entrants:
        networks = [history.by_number[number] for number in entrant]
        took = [run.seconds for (of, _), run in ended.items() if of in entrant and run.seconds is not None]
        yield Cost(
            name_of(entrant, names),
            entrant,
            sum(network.parameters or 0 for network in networks),
            sum(network.macs or 0 for network in networks),
            sum(took) / len(took) * len(entrant) if took else 0.0,
        )
