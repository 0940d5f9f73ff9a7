"""What a search says while it runs; the command line shows it, a script may ignore it."""

from collections.abc import Callable
from dataclasses import dataclass

from nas.study.history import Trial
from nas.study.protocol import Study


@dataclass(frozen=True)
class Working:
    """Part of a longer step is done; `total` is 0 where nobody knows how much there is."""

    what: str
    done: int
    total: int

    @property
    def in_words(self) -> str:
        """What is done, and how much of it."""
        return f"{self.what} {self.done}/{self.total}" if self.total else self.what


@dataclass(frozen=True)
class Note:
    """Something worth a line."""

    text: str


@dataclass(frozen=True)
class Opened:
    """The study is open: how the search stands is read off it. `wanted` networks are to be trained at most."""

    study: Study
    wanted: int


@dataclass(frozen=True)
class TrialStarted:
    """A network is about to be trained."""

    trial: int
    name: str
    parameters: int
    macs: int
    rung: int = 0


@dataclass(frozen=True)
class TrialEnded:
    """A trial's run has its result, or a proposal was refused; `complete` of `wanted` networks are trained.

    In a search by time, `used` is the share of it that is over.
    """

    trial: Trial
    complete: int
    wanted: int
    used: float | None = None


Event = Working | Note | Opened | TrialStarted | TrialEnded
Listener = Callable[[Event], None]


def silent(_: Event) -> None:
    """Hears nothing."""
