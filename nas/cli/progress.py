"""How a search is watched: one screen that stays in place; in a log file a line a minute; for a program JSON lines."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from nas.cli.board import Time, line, screen, time_of
from nas.cli.output import ERR, in_words, short_count
from nas.wording import duration, readable

if TYPE_CHECKING:
    from nas.report.board import Board
    from nas.searching.events import Event, Opened, TrialEnded
    from nas.study.history import History, Trial

SILENCE = 60.0
"""Seconds between lines where none can move."""
_LOOK = 2.0
"""Seconds between looks at the study."""
_LINES_OF_ITS_OWN = frozenset({"failed", "diverged"})


class Display:
    """Shows a search's events on standard error.

    On a terminal one screen stays in place below what is worth a line of its own. What is no terminal, as a log file,
    is told once a minute how the search stands, and at its end. As JSON, each event is a line.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, silent: bool = False, as_json: bool = False
    ) -> None:
        from rich.live import Live

        self._silent, self._json = silent, as_json
        self._moving = ERR.is_terminal and not silent and not as_json
        self._clock, self._printed = clock, clock()
        self._looked = -_LOOK
        self._name = self._working = ""
        self._skipped = 0
        self._untold = False
        self._opened: Opened | None = None
        self._history: History | None = None
        self._board: Board | None = None
        self._time = Time(0.0, None)
        self._live = Live(console=ERR, transient=True, refresh_per_second=4, get_renderable=self._screen)

    def __enter__(self) -> "Display":
        if self._moving:
            self._live.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the screen away; in a log file, say how the search stood at last."""
        if self._moving:
            self._live.stop()
        elif self._untold and not self._silent and not self._json:
            self._working = ""
            self._tell()

    def __call__(self, event: "Event") -> None:
        """Show one event."""
        if self._silent:
            return
        from nas.searching.events import Note, Opened, TrialEnded, TrialStarted, Working

        match event:
            case Note():
                self._print(event.text, {"event": "note", "text": event.text})
            case Opened():
                self._opened = event
            case TrialStarted():
                self._name = event.name or f"trial {event.trial}"
                self._emit({"event": "started", "trial": event.trial, "name": event.name, "rung": event.rung})
                self._name += f" ({short_count(event.parameters)} parameters)"
            case Working():
                self._working = event.in_words
            case TrialEnded():
                self._ended(event)
        self._look(isinstance(event, TrialEnded) and event.trial.refusal is None)

    def _look(self, at_once: bool) -> None:
        """Read how the study stands, not too often, and tell it where a line is due."""
        due = self._clock() - self._printed > SILENCE
        if self._moving and (at_once or self._clock() - self._looked > _LOOK):
            self._read()
        elif not self._moving and due and (self._working or self._untold):
            self._tell()

    def _read(self) -> None:
        from nas.report.board import board

        self._looked = self._clock()
        if self._opened is None:
            return
        study = self._opened.study
        self._history = study.history(self._history)
        self._board = board(study.settings, self._history, study.clock.now(), self._opened.wanted)
        self._time = time_of(study.settings, self._history, self._board)

    def _screen(self) -> RenderableType:
        working = f"{self._name}: {self._working}" if self._name and self._working else self._working
        if self._board is None:
            return Text(working or "starting", no_wrap=True, overflow="ellipsis")
        return screen(self._board, self._time, working, ERR.width)

    def _tell(self) -> None:
        """A line that says how the search stands."""
        self._read()
        working = f"{self._name}: {self._working}" if self._name and self._working else self._working
        self._untold = False
        if self._board is None:
            self._print(working, {"event": "working", "text": working})
            return
        self._print(line(self._board, self._time, working), {"event": "standing", **standing(self._board, self._time)})

    def _ended(self, event: "TrialEnded") -> None:
        trial = event.trial
        self._emit({"event": "ended", **_described(trial), "complete": event.complete, "wanted": event.wanted})
        self._name = self._working = ""
        self._untold = True
        worth_a_line = str(trial.state) in _LINES_OF_ITS_OWN or (trial.reference and trial.refusal)
        if worth_a_line and not self._json:
            self._print(f"{trial.reference or f'trial {trial.number}'}: {_outcome(trial)}", None, counts=False)

    def _print(self, text: str, document: dict[str, Any] | None, counts: bool = True) -> None:
        """A line; `counts` where it says how the search stands, so that the next one has time."""
        if self._json:
            self._emit(document)
        else:
            # A terminal has lines of whole words; a log file's are never broken.
            ERR.print(readable(text), markup=False, soft_wrap=not self._moving)
        if counts:
            self._printed = self._clock()

    def _emit(self, document: dict[str, Any] | None) -> None:
        if self._json and document is not None:
            moment = datetime.now(UTC).isoformat(timespec="seconds")
            print(json.dumps({"time": moment, **document}), file=ERR.file, flush=True)


def standing(board: "Board", time: Time) -> dict[str, Any]:
    """How a search stands, as JSON."""
    best = None if board.best is None else {"name": board.best.name, board.metric: board.best.value}
    published = None if board.published is None else {"name": board.published.name, board.metric: board.published.value}
    return {
        "study": board.study,
        "trained": board.trained,
        "complete": board.complete,
        "wanted": board.wanted or None,
        "seconds_used": round(time.used, 1),
        "seconds_left": None if time.left is None else round(time.left, 1),
        "best": best,
        "published": published,
        "rungs": [
            {"share": r.share, "here": r.standing, "went_on": r.went_on, "running": r.running} for r in board.rungs
        ],
        "running": [
            {"trial": n.trial, "name": n.name, "share": n.share, "epoch": n.epoch, "training": n.value}
            for n in board.underway
        ],
        "warnings": list(board.warnings),
    }


def _described(trial: "Trial") -> dict[str, Any]:
    return {
        "trial": trial.number,
        "state": str(trial.state),
        "reference": trial.reference,
        "values": dict(trial.values),
        "parameters": trial.parameters,
        "seconds": round(trial.seconds, 1),
        "reason": trial.cause if trial.explanation else None,
    }


def _outcome(trial: "Trial") -> str:
    """How a trial ended, in a line."""
    if trial.explanation:
        return f"{trial.state}: {trial.cause}"
    return f"{trial.state} {in_words(trial.values)} after {duration(trial.seconds)}".replace("  ", " ")
