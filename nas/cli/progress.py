"""How a search is watched: a line for each finished trial, and one that moves; in a log file, one a minute."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nas.cli.output import ERR, duration, in_words, short_count

if TYPE_CHECKING:
    from nas.searching.events import Event, TrialEnded
    from nas.study.history import Trial


_SILENCE = 60.0
"""Seconds without a line after which one says what is going on, where no line can move."""


class Display:
    """Shows a search's events: a line for each finished trial, and one that moves.

    What is not a terminal, as a log file, is told now and then instead what is going on.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, silent: bool = False) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=ERR,
            transient=True,
            disable=silent,
        )
        self._silent = silent
        self._task = self._progress.add_task("starting", total=None)
        self._name = ""
        self._skipped = 0
        self._clock, self._printed = clock, clock()

    def __enter__(self) -> "Display":
        self._progress.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the moving line away."""
        self._progress.stop()

    def __call__(self, event: "Event") -> None:
        """Show one event."""
        if self._silent:
            return
        from nas.searching.events import Note, TrialEnded, TrialStarted, Working

        match event:
            case Note():
                self._print(event.text)
            case TrialStarted():
                self._name = event.name or f"trial {event.trial}"
                self._name += f" ({short_count(event.parameters)} parameters)"
            case Working():
                what = f"{self._name}: {event.what}" if self._name else event.what
                self._progress.update(self._task, description=what, completed=event.done, total=event.total)
                if not self._progress.console.is_terminal and self._clock() - self._printed > _SILENCE:
                    self._print(f"{what} {event.done}/{event.total}")
            case TrialEnded():
                self._ended(event)

    def _ended(self, event: "TrialEnded") -> None:
        from rich.markup import escape

        self._name = ""
        trial = event.trial
        if trial.refusal is not None and not trial.reference:
            self._skipped += 1
            self._progress.update(
                self._task, description=f"proposing ({self._skipped} known or over a limit)", total=None
            )
            return
        name = escape(f"{trial.reference or f'trial {trial.number}':<34}")
        skipped, self._skipped = self._skipped, 0
        note = f"  [dim]after {skipped} known or over a limit[/dim]" if skipped else ""
        self._print(f"[dim]{_how_far(event)}[/dim]  {name} {_outcome(trial)}{note}", markup=True)

    def _print(self, text: str, markup: bool = False) -> None:
        self._progress.console.print(text, markup=markup, soft_wrap=True)
        self._printed = self._clock()


def _how_far(event: "TrialEnded") -> str:
    return f"{event.complete:>3}/{event.wanted}" if event.used is None else f"{event.used:>4.0%}"


def _outcome(trial: "Trial") -> str:
    """How a trial ended, as markup in which what came from outside is escaped."""
    from rich.markup import escape

    from nas.cli.results import recipe_in_words
    from nas.study.history import State

    if trial.state not in (State.COMPLETE, State.PAUSED):
        word = "to be tried again" if trial.state is State.WAITING else trial.state
        return f"{word}: {escape(trial.cause)}" if trial.explanation else str(word)
    line = f"{escape(in_words(trial.values))}  {short_count(trial.parameters or 0):>8} parameters"
    line += f"  {duration(trial.seconds)}"
    line += f"  ({escape(trial.explanation)})" if trial.explanation else ""
    decided = trial.recipe_decisions
    return line + (f"  [dim]{escape(recipe_in_words(decided))}[/dim]" if decided else "")
