"""What is compared on a table: something that proposes networks, and a pace at which they are trained.

A contestant is named "pace:proposer", as `halving:tree_parzen`, which is what a search by time runs. A part of it is
switched off by its name: `halving:tree_parzen-published` does not begin with the published networks,
`halving:tree_parzen-changes` does not propose changes of good networks where what it would propose is known.
`optuna:tpe_hyperband` is Optuna alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from nas.errors import InputError, did_you_mean
from nas.searching.candidates import Candidates
from nas.searching.references import Entry
from nas.searching.schedule import ETA, Schedule, survivors_of
from nas.searching.settings import ONE_OBJECTIVE
from nas.searching.strategies import Action, Done, Strategy
from nas.searching.strategies.asynchronous import AsynchronousHalving
from nas.searching.strategies.brief import BriefThenBest
from nas.searching.strategies.counted import misses_in_a_row
from nas.searching.strategies.halving import Halving
from nas.searching.strategies.novel import Identify
from nas.searching.strategies.proposers import PROPOSERS, Ground
from nas.searching.strategies.published import PublishedFirst
from nas.searching.tables.stock import PRUNED, STOCK, stock
from nas.study.history import History
from nas.study.objective import DICE, Objective

RUNGS = (1 / 16, 1 / 4, 1.0)
"""Shares of a training after which networks are compared, as in a search by time."""
BRIEF = 1 / 8
"""The share after which the baseline chooses whom to finish, but never before the first rung."""
_MISSES = 300
"""Proposals in a row that lead to no training until a proposer is taken to have no more."""


@dataclass(frozen=True)
class Ring:
    """What contestants are given.

    `trainings` is what may be spent, in whole trainings; `entries` are the published networks that come first; `rungs`
    is where those stop to be compared that do not train each network to the end.
    """

    candidates: Candidates
    identify: Identify
    entries: Sequence[Entry]
    trainings: float
    workers: int = 1
    seed: int = 0
    objectives: Sequence[Objective] = field(default=DICE)
    rungs: tuple[float, ...] = RUNGS


def _whole(proposing: Strategy, ring: Ring) -> tuple[Strategy, tuple[float, ...]]:
    return proposing, (1.0,)


def _brief(proposing: Strategy, ring: Ring) -> tuple[Strategy, tuple[float, ...]]:
    """Half of what may be spent goes into brief trainings, the other half into finishing."""
    brief = max(BRIEF, ring.rungs[0])
    finished = max(int(ring.trainings / 2 / (1 - brief)), 1)
    many = max(int((ring.trainings - finished * (1 - brief)) / brief), finished)
    return BriefThenBest(proposing, ring.objectives, many, finished), (brief, 1.0)


def _halving(proposing: Strategy, ring: Ring) -> tuple[Strategy, tuple[float, ...]]:
    """As many networks as there is room for, of which each rung lets one of a few go on."""
    many = ring.workers
    while (larger := _schedule(many + 1, ring)).seconds >= larger.planned:
        many += 1
    return Halving(proposing, _schedule(many, ring), ring.objectives), ring.rungs


def _schedule(many: int, ring: Ring) -> Schedule:
    finalists = min(ring.workers, max(int(ring.trainings / 2), 1))  # one for each worker, where half is enough for that
    survivors = survivors_of(many, len(ring.rungs), finalists)
    return Schedule(ring.trainings / ring.workers, 1.0, ring.rungs, survivors, ring.workers)


def _asynchronous(proposing: Strategy, ring: Ring) -> tuple[Strategy, tuple[float, ...]]:
    return AsynchronousHalving(proposing, ring.objectives, len(ring.rungs), ETA), ring.rungs


PACES: Mapping[str, Callable[[Strategy, Ring], tuple[Strategy, tuple[float, ...]]]] = {
    "whole": _whole,
    "brief": _brief,
    "halving": _halving,
    "asynchronous": _asynchronous,
}
OPTUNA = "optuna"
"""The pace of those that are Optuna's own."""
ANYTIME = frozenset({"whole", "asynchronous", OPTUNA})
"""Paces that do not plan with what may be spent: what they reach with less is seen on their way."""
PARTS = ("published", "changes")
"""What can be switched off by name."""
CHANGING = frozenset({"tree_parzen", "nsga2"})
"""Proposers whose proposals give way to changes of good networks where they are known; others propose new ones."""
USUAL = (
    "whole:random",
    "optuna:tpe_hyperband",
    "brief:random",
    "brief:tree_parzen",
    "halving:random",
    "halving:quasi_random",
    "halving:tree_parzen",
    "halving:nsga2",
    "halving:evolution",
    "halving:local_search",
    "asynchronous:random",
    "asynchronous:tree_parzen",
)
"""What is compared by one objective unless told otherwise."""
USUAL_FRONTS = (
    "optuna:nsga2",
    "whole:random",
    "whole:nsga2",
    "whole:tree_parzen",
    "brief:random",
    "halving:random",
    "halving:nsga2",
    "halving:tree_parzen",
    "halving:evolution",
)
"""What is compared by several objectives; all others are held against the first one."""


@dataclass(frozen=True)
class Exhaustible:
    """Asks another strategy until so many of its proposals in a row are known, or not in the table."""

    strategy: Strategy

    def next(self, history: History, running: int, generator: Random) -> Action:
        """What the other strategy says, or that there is no more."""
        return Done() if misses_in_a_row(history) >= _MISSES else self.strategy.next(history, running, generator)


def names() -> tuple[str, ...]:
    """All pairs of a pace and a proposer, and Optuna's own."""
    ours = (f"{pace}:{proposer}" for pace in PACES for proposer in PROPOSERS)
    return (*ours, *(f"{OPTUNA}:{name}" for name in STOCK))


def without(name: str) -> dict[str, str]:
    """A contestant with each of its parts switched off in turn, by what is off.

    Raises:
        InputError: it is Optuna's own, which has none of our parts.
    """
    pace, proposer, off = _parsed(name)
    if pace == OPTUNA or off:
        raise InputError(f"strategy {name!r}: expected one of {', '.join(names()[: -len(STOCK)])}, to switch parts off")
    parts = {} if pace == "whole" else {"rungs": f"whole:{proposer}"}
    parts["published networks first"] = f"{name}-published"
    if proposer in CHANGING:
        parts["changes where a proposal is known"] = f"{name}-changes"
    if proposer != "random":
        parts[f"what {proposer} learns"] = f"{pace}:random"
    return parts


def contestant(name: str, ring: Ring) -> tuple[Strategy, tuple[float, ...]]:
    """A strategy by its name, published networks first, and the rungs that it trains to.

    Raises:
        InputError: there is none of that name, or it cannot serve the objectives.
    """
    pace, proposer, off = _parsed(name)
    if len(ring.objectives) > 1 and (proposer in ONE_OBJECTIVE or proposer in PRUNED):
        raise InputError(f"strategy {name!r}: serves one objective, not {len(ring.objectives)}; leave it out")
    if pace == OPTUNA:
        alone, rungs = stock(proposer, ring.candidates, ring.objectives, ring.seed, ring.rungs)
        return Exhaustible(alone), rungs
    changes = "changes" not in off
    ground = Ground(ring.candidates, ring.objectives, ring.identify, ring.seed, changes)
    proposing = PROPOSERS[proposer](ground)
    if "published" not in off:
        proposing = PublishedFirst(proposing, ring.candidates, ring.entries)
    return PACES[pace](Exhaustible(proposing), ring)


def _parsed(name: str) -> tuple[str, str, tuple[str, ...]]:
    """Pace, proposer and the parts that are off."""
    pace, _, rest = name.partition(":")
    proposer, *off = rest.split("-")
    offered = STOCK if pace == OPTUNA else PROPOSERS
    for part, known in ((pace, (*PACES, OPTUNA)), (proposer, offered), *((part, PARTS) for part in off)):
        if part not in known:
            raise InputError(f"strategy {name!r}: {part!r} is unknown; {did_you_mean(part, known)}")
    if "changes" in off and proposer not in CHANGING:
        raise InputError(f"strategy {name!r}: {proposer} has no such part; leave out '-changes'")
    if off and pace == OPTUNA:
        raise InputError(f"strategy {name!r}: Optuna's own has no such part; leave out '-{off[0]}'")
    return pace, proposer, tuple(off)
