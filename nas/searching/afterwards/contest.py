"""Who is compared with whom: what a search found, against what its user would have taken anyway."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nas.errors import InputError, field_named
from nas.searching.evaluators import Description
from nas.searching.gate import proposal
from nas.searching.references import Entry, entries
from nas.searching.setup.ground import Ground
from nas.searching.strategies import Start
from nas.study.history import History, Origin, RunKey, State, Trial
from nas.study.objective import Objective, ranked
from nas.study.protocol import Claim, Study

_ROOM = 2**31 - 1
Entrant = tuple[int, ...]
"""Who is compared: a network, by its trial, or several whose probabilities are averaged."""


@dataclass(frozen=True)
class Contest:
    """The best that the search found, best first; and the published networks that they have to beat."""

    finalists: tuple[Entrant, ...]
    baselines: tuple[Entrant, ...]

    @property
    def entrants(self) -> tuple[Entrant, ...]:
        """All of them."""
        return (*self.finalists, *self.baselines)

    @property
    def trials(self) -> tuple[int, ...]:
        """The networks that are to be trained, each once."""
        return tuple(dict.fromkeys(number for entrant in self.entrants for number in entrant))

    @property
    def averages(self) -> tuple[Entrant, ...]:
        """Those that are several networks."""
        return tuple(entrant for entrant in self.entrants if len(entrant) > 1)


def contest(
    history: History,
    goals: Sequence[Objective],
    top: int,
    plain: int | None,
    *,
    average: Entrant = (),
    others: bool = False,
) -> Contest:
    """The `top` networks that the search found, the best published one and the plain one, by its trial's number.

    Where the search found nothing of its own, the next best published networks are the finalists. Where it did better
    with the `average` of several, that is the first of them, and networks that were trained to full length follow. With
    `others`, which are results of another tool, one network is enough.

    Raises:
        InputError: there is nothing to compare.
    """
    order = ranked(history, goals)
    published = next((trial.number for trial in order if trial.reference is not None), None)
    baselines = singly(number for number in dict.fromkeys((published, plain)) if number is not None)
    further = [trial for trial in order if (trial.number,) not in baselines]
    found = [trial for trial in further if trial.reference is None] or further
    if average and top > 0:
        whole = singly(trial.number for trial in found if trial.state is State.COMPLETE)
        return Contest((average, *whole)[:top], baselines)
    if not found and len(baselines) == 2:  # the best published network against the plain one
        return Contest(baselines[:1], baselines[1:])
    if not found and others and order:
        return Contest(singly(trial.number for trial in order[:top]), ())
    if not found or top < 1:
        raise InputError(
            f"{field_named('top')}: found {top}, but of the {len(order)} networks that are trained {len(found)} can be "
            "compared with a published one; search for more networks first"
        )
    return Contest(singly(trial.number for trial in found[:top]), baselines)


def singly(trials: Iterable[int]) -> tuple[Entrant, ...]:
    """Each trial by itself."""
    return tuple((number,) for number in trials)


def name_of(entrant: Entrant, names: Mapping[int, str]) -> str:
    """What to call an entrant: a network by its trial's name, several by their number."""
    return names[entrant[0]] if len(entrant) == 1 else f"mean of the best {len(entrant)}"


def names_of(history: History, trials: Sequence[int]) -> dict[int, str]:
    """What to call trials: as published, or by their number."""
    names = {number: history.by_number[number].reference or f"trial {number}" for number in trials}
    twice = {name for name in names.values() if list(names.values()).count(name) > 1}
    return {number: f"{name} (trial {number})" if name in twice else name for number, name in names.items()}


def plain_entry(ground: Ground) -> Entry | None:
    """The first published network of the space that fits, in the form in which a search enters it."""
    fits = ground.plan.decided(ground.candidates.typical_recipe).fits
    full_size = ground.reference is not None or ground.full_size
    entered, _ = entries(ground.candidates.architectures, ground.task, fits, full_size=full_size, most=1)
    return entered[0] if entered else None


def tried(history: History, entry: Entry) -> int | None:
    """The trial of a published network; None where it could not be trained."""
    trials = (trial for trial in history.published if trial.reference == entry.name)
    return next((trial.number for trial in trials if trial.refusal is None), None)


def enter(study: Study, start: Start, description: Description, key: RunKey) -> int | None:
    """A trial of a published network that the search has not tried, which waits to be trained as a run of a key.

    Returns:
        Its number, or that of the trial which has the network by another name; None where it cannot be trained.
    """
    with study.at_work("", lease=60) as worker:
        outcome = study.start(proposal(start, description, key), worker, most=_ROOM)
        if isinstance(outcome, Claim):
            study.give_back(outcome)
            return _trial_of(study.history(), outcome.run).number
    return outcome.twin if isinstance(outcome, Trial) and outcome.refusal is State.DUPLICATE else None


def start_of(ground: Ground, entry: Entry) -> Start:
    """The decisions of a published network."""
    return Start(ground.candidates.read(entry.architecture), origin=Origin.PUBLISHED, reference=entry.name)


def _trial_of(history: History, run: int) -> Trial:
    return next(trial for trial in history.trials if any(other.id == run for other in trial.runs))
