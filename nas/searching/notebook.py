"""A study as a notebook shows it, and the progress of a search there."""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from nas.searching.events import Event, Note, TrialEnded, TrialStarted, Working
from nas.study.history import State, Trial
from nas.study.objective import Objective
from nas.study.sql.study import SqlStudy

_LEADERS = 5
_LINES = 6


def study_html(study: SqlStudy) -> str:
    """What it is of, how far it is, and its best networks, all of it text."""
    settings, seen = study.settings, study.glance(_LEADERS)
    counts = seen.counts
    facts = (
        f"space {settings.space} on {settings.data}: {counts.complete} networks trained, {counts.infeasible} refused"
    )
    if settings.synthetic:
        facts += "; synthetic data: the figures say nothing about real scans"
    heads = "".join(f"<th>{escape(head)}</th>" for head in ("", "network", *_metrics(settings.goals), "parameters"))
    rows = "".join(f"<tr>{_row(rank, trial, settings.goals)}</tr>" for rank, trial in seen.leaders)
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    return f"<div><p><b>{escape(study.name)}</b>: {escape(facts)}.</p>{table}</div>"


def _metrics(goals: tuple[Objective, ...]) -> list[str]:
    return [goal.metric for goal in goals]


def _row(rank: int, trial: Trial, goals: tuple[Objective, ...]) -> str:
    values = [goal.value(trial) for goal in goals]
    cells = [
        str(rank),
        trial.reference or f"trial {trial.number}",
        *("-" if value is None else f"{value:.4f}" for value in values),
        f"{trial.parameters or 0:,}",
    ]
    return "".join(f"<td>{escape(cell)}</td>" for cell in cells)


class Progress:
    """Shows a search's events in a notebook's cell: `nas.search(..., listener=nas.Progress())`.

    Where there is no notebook, lines are printed.
    """

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._now: Working | None = None
        self._name = ""
        self._count = ""
        self._show = _shower()

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case Working():
                self._now = event
            case TrialStarted():
                self._name = event.name or f"trial {event.trial}"
            case Note():
                self._say(event.text)
            case TrialEnded():
                self._now, self._name = None, ""
                self._count = f"{event.complete} of {event.wanted} networks"
                if event.trial.state is State.COMPLETE or event.trial.reference:
                    self._say(_told(event.trial))
        if self._show is not None:
            self._show("".join(self._html()))

    def _say(self, text: str) -> None:
        self._lines.append(text)
        if self._show is None:
            print(text, file=sys.stderr)

    def _html(self) -> Iterator[str]:
        yield f"<div><p>{escape(self._count or 'searching')}</p>"
        if self._now is not None:
            most = f' max="{self._now.total}" value="{self._now.done}"' if self._now.total else ""
            what = f"{self._name}: {self._now.in_words}" if self._name else self._now.in_words
            yield f"<p><progress{most}></progress> {escape(what)}</p>"
        yield f"<pre>{escape(chr(10).join(self._lines))}</pre></div>"


def _told(trial: Trial) -> str:
    name = trial.reference or f"trial {trial.number}"
    if trial.state is not State.COMPLETE:
        return f"{name}: {trial.state}"
    values = ", ".join(f"{metric} {value:.4f}" for metric, value in trial.values.items())
    return f"{name}: {values}, {trial.parameters or 0:,} parameters"


def _shower() -> Callable[[str], None] | None:
    """What shows HTML in this cell, each time in place of the last; None outside of a notebook."""
    module: Any = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython import display

    shown: Any = display
    handle = shown.display(shown.HTML(""), display_id=True)
    return lambda text: handle.update(shown.HTML(text))
