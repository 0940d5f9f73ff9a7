"""`nas status --watch`: a running search as its database tells of it, from any machine that reaches it."""

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from nas.cli.board import line, screen, time_of
from nas.cli.output import OUT
from nas.cli.progress import SILENCE, standing

if TYPE_CHECKING:
    from nas.study.sql.study import SqlStudy

_LOOK = 1.0


def watch(
    study: "SqlStudy",
    *,
    as_json: bool = False,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Show how a study stands until Ctrl-C: on a terminal one screen; else a line a minute, or JSON for each change.

    Args:
        study: which one.
        as_json: a JSON line for each change.
        sleep: waits between looks.
        clock: tells when a line is due.
    """
    from rich.live import Live

    from nas.report.board import board

    moving = OUT.is_terminal and not as_json
    history, cursor, printed = study.history(), -1, -SILENCE
    wanted = study.wanted()
    with Live(console=OUT, transient=False, auto_refresh=False) if moving else _Still() as live:
        while True:
            history = study.history(history)
            scoreboard = board(study.settings, history, study.clock.now(), wanted)
            spent = time_of(study.settings, history, scoreboard)
            if isinstance(live, Live):
                live.update(screen(scoreboard, spent, width=OUT.width), refresh=True)
            elif as_json:
                if history.cursor != cursor:
                    typer.echo(json.dumps(standing(scoreboard, spent)))
            elif clock() - printed >= SILENCE and history.cursor != cursor:
                OUT.print(line(scoreboard, spent), soft_wrap=True, markup=False)
                printed = clock()
                cursor = history.cursor
            cursor = history.cursor if as_json else cursor
            sleep(_LOOK)


class _Still:
    """Where nothing moves."""

    def __enter__(self) -> "_Still":
        return self

    def __exit__(self, *_: object) -> None:
        return None
