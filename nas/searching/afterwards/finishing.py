"""The network that stays: the winner, or the one named, trained on all cases or as the ensemble of the folds."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from nas.data import Dataset
from nas.errors import InputError, did_you_mean, field_named
from nas.model import TrainedModel, ensemble, save_model
from nas.model.folder import FORMAT, refuse_others
from nas.searching.afterwards.carrying import carry_out, time_in_words
from nas.searching.afterwards.contest import names_of
from nas.searching.afterwards.together import best_of
from nas.searching.assignments.assigned import dataset_of, folds_of
from nas.searching.assignments.assignment import Assignment, keys_of_folds, seeds_for, write_down
from nas.searching.evaluators.assigned import full_length
from nas.searching.events import Listener, Note
from nas.searching.model import trained_model
from nas.searching.opened import OpenedStudy, TrainedNetwork
from nas.searching.settings import SearchSettings
from nas.searching.setup.folds import Folds
from nas.searching.setup.spaces import space_of
from nas.study.history import Run, RunKey, Split, State, Trial
from nas.study.protocol import WEIGHTS
from nas.study.sql.errors import UnreachableError
from nas.study.sql.study import SqlStudy

PURPOSE = "train"
_OF_ONE_RUN = frozenset({"fold", "split", "seed", "seconds", "device", "dice", "target_dice"})
"""What is true of the first member alone; each one's own stands with it."""


@dataclass(frozen=True, kw_only=True)
class FinalSettings:
    """What is to be trained.

    trial or reference: which network; the best of the search where neither is said. top: so many of the best of the
    search, their probabilities averaged. together: whether each is trained on each fold's training cases, and those
    averaged; else on all cases. seeds: trainings of each, averaged too. seconds: of each training; None is the study's
    full length. budget: seconds of all, instead.
    """

    trial: int | None = None
    reference: str | None = None
    top: int = 1
    together: bool = False
    seeds: int = 1
    seconds: float | None = None
    budget: float | None = None

    def __post_init__(self) -> None:
        if self.trial is not None and self.reference is not None:
            raise InputError(f"{field_named('trial')}: found with {field_named('reference')}; give one of them")
        if self.top > 1 and (self.trial is not None or self.reference is not None):
            named = field_named("reference" if self.trial is None else "trial")
            raise InputError(f"{field_named('top')}: found {self.top} with {named}, which names one; give one of them")
        for name in ("top", "seeds"):
            if getattr(self, name) < 1:
                raise InputError(f"{field_named(name)}: found {getattr(self, name)}, expected 1 or more")
        if self.seconds is not None and self.budget is not None:
            raise InputError(f"{field_named('length')}: found with {field_named('budget')}; give one of them")


def train_finally(
    study: SqlStudy, wishes: FinalSettings, machine: SearchSettings, folder: Path, listener: Listener
) -> TrainedModel:
    """Train a network of a study to keep, and write its folder, which predicting, evaluating and exporting take.

    What was trained so before, as by a confirmation of the same length, is not trained again; what was interrupted goes
    on.

    Args:
        study: of a search.
        wishes: what is to be trained.
        machine: its space and data where they are files of the user's, workers, devices, cache.
        folder: a new or an empty one, or an earlier model's.
        listener: hears what happens.

    Raises:
        InputError: there is no such network, it could not be trained, data or space are not the study's, or the folder
            holds something else.
        KeyboardInterrupt: stopped; the same command goes on.
    """
    refuse_others(folder.resolve(), FORMAT)  # before the work, not after it
    model = _Finishing(study, wishes, machine, listener).model()
    save_model(model, folder)
    return model


@dataclass
class _Finishing:
    """One final training on its way."""

    study: SqlStudy
    wishes: FinalSettings
    machine: SearchSettings
    listener: Listener

    def model(self) -> TrainedModel:
        assignment = self._assignment()
        if len(assignment.ended(self.study.history())) < len(assignment.jobs):
            self._train(assignment)
        ended = assignment.ended(self.study.history())
        runs = [ended[job] for job in assignment.jobs]
        for run in runs:
            if run.state is not State.COMPLETE:
                reason = (run.reason or "no reason given").strip().splitlines()[-1]
                raise InputError(
                    f"trial {run.trial}, seed {run.key.seed}: {run.state} ({reason}); name another network"
                )
        trials = {trial.number: trial for trial in self.trials}
        members = [trained_model(TrainedNetwork(self.study, trials[run.trial], run)) for run in runs]
        whole = ensemble(members) if len(members) > 1 else members[0]
        about = {name: value for name, value in whole.provenance.items() if name not in _OF_ONE_RUN}
        return replace(whole, provenance=about | self._record(runs))

    @cached_property
    def trials(self) -> tuple[Trial, ...]:
        """The networks that are to be trained.

        Raises:
            InputError: there is none of that number or name, or there are fewer.
        """
        opened, top = OpenedStudy(self.study), self.wishes.top
        return (self._trial(opened),) if top == 1 else tuple(best_of(opened, top))

    def _trial(self, opened: OpenedStudy) -> Trial:
        wishes = self.wishes
        if wishes.trial is not None:
            return opened.trial(wishes.trial).trial
        if wishes.reference is None:
            return opened.best.trial
        known = {
            trial.reference: trial for trial in opened.history.published if trial.reference and trial.refusal is None
        }
        if wishes.reference not in known:
            raise InputError(
                f"{field_named('reference')}: study {self.study.name!r} has trained no {wishes.reference!r}; "
                f"{did_you_mean(wishes.reference, list(known))}"
            )
        return known[wishes.reference]

    @cached_property
    def folds(self) -> Folds:
        neighbours, device = self.study.settings.plan["slices"], torch.device("cpu")
        return folds_of(self.study, self.dataset, neighbours, self.machine.cache, device, self.listener)

    @cached_property
    def dataset(self) -> Dataset:
        return dataset_of(self.study, self.machine, self.listener)

    def _assignment(self) -> Assignment:
        wishes, settings = self.wishes, self.study.settings
        number = self.folds.number if wishes.together else 1
        seconds = wishes.seconds or full_length(settings.recipe, settings.plan)
        if wishes.budget is not None:
            runs = number * wishes.seeds * len(self.trials)
            seconds = round(wishes.budget * self.machine.at_once / runs, 1)
        failed = {run.key.seed for trial in self.trials for run in trial.runs if run.state is State.FAILED}
        lost = failed | self._deleted
        sound = [seed for seed in seeds_for(self.study, seconds, wishes.seeds + len(lost)) if seed not in lost]
        seeds = sound[: wishes.seeds]  # what has failed may have been mended since
        on_all = tuple(RunKey(0, seed, Split.ALL) for seed in seeds)
        keys = keys_of_folds(number, seeds) if wishes.together else on_all
        return Assignment(PURPOSE, tuple(trial.number for trial in self.trials), keys, seconds)

    @cached_property
    def _deleted(self) -> set[int]:
        """Seeds of which a training is complete and its weights are not there any more."""
        split = Split.CONFIRM if self.wishes.together else Split.ALL
        runs = [run for trial in self.trials for run in trial.runs if run.key.split is split]
        return {run.key.seed for run in runs if run.state is State.COMPLETE and not self._has_weights(run)}

    def _has_weights(self, run: Run) -> bool:
        try:
            self.study.file(run.id, WEIGHTS)
        except UnreachableError:  # out of reach is not gone
            raise
        except InputError:
            return False
        return True

    def _train(self, assignment: Assignment) -> None:
        number = write_down(self.study, assignment)
        for line in self._announced(assignment, number):
            self.listener(Note(line))
        space = space_of(self.study.settings, self.machine.space)
        carry_out(self.study, number, space, self.dataset, self.machine, self.listener)

    def _announced(self, assignment: Assignment, number: int) -> Iterator[str]:
        history = self.study.history()
        name = "; ".join(names_of(history, assignment.trials).values())
        how = "on each fold's training cases" if self.wishes.together else "on all cases, those that were put aside too"
        left = len(assignment.jobs) - len(assignment.ended(history))
        if self._deleted:
            yield (
                "weights of earlier trainings are deleted, as by nas studies prune-artifacts: what they were of is "
                "trained again with other seeds"
            )
        yield f"training {name} {how}: {left} of {len(assignment.jobs)} trainings to do" + time_in_words(
            left, assignment.seconds, self.machine.at_once
        )
        yield f"more workers, here or elsewhere: nas worker --study {self.study.name} --assignment {number}"

    def _record(self, runs: list[Run]) -> dict[str, Any]:
        """What a person must know of how the model came about; Dice is that of the search, and said to be."""
        trained: dict[str, Any] = {
            "on": "folds" if self.wishes.together else "all",
            "seeds": sorted({run.key.seed for run in runs}),
            "folds": sorted({run.key.fold for run in runs}) if self.wishes.together else [],
            "seconds": [run.seconds for run in runs],
            "steps": [run.steps for run in runs],
        }
        searched = self.trials[0].latest if len(self.trials) == 1 else None
        devices = ", ".join(sorted({run.device for run in runs if run.device}))
        facts: dict[str, Any] = {"trained": trained, "search_fold": self.study.settings.fold, "device": devices}
        if searched is not None and searched.values:
            facts["dice_in_the_search"] = searched.values.get("dice")
        together = self.study.settings.dice_together([trial.number for trial in self.trials])
        if together is not None:
            facts["dice_in_the_search"] = together
        return facts
