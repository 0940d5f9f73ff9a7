"""What a search tells on a terminal, in a log file, and to a program."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from nas.cli import progress, watching
from nas.cli.board import Time, chart, line, screen, time_of
from nas.cli.progress import Display
from nas.cli.watching import watch
from nas.report.board import Board, board
from nas.searching.events import Note, Opened, TrialEnded, TrialStarted, Working
from nas.study.history import State
from nas.study.memory import MemoryStudy
from tests.report.factories import BEGAN, HOSTILE, Stored, changed, in_state, stored
from tests.report.test_figures import RUNGS, STUDIES, running
from tests.searching.stand_in import complete, search, start, study

LATER = BEGAN + timedelta(hours=2)


def board_of(of: Stored, wanted: int = 60) -> Board:
    return board(of.settings, of.history(), LATER, wanted)


def shown(of: Stored, width: int) -> list[str]:
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system=None)
    seen = board_of(of)
    console.print(screen(seen, time_of(of.settings, of.history(), seen), "training 3/100", width))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 140])
@pytest.mark.parametrize("name", STUDIES)
def test_a_screen_is_no_wider_than_the_terminal_and_fits_one(name: str, width: int) -> None:
    lines = shown(STUDIES[name](), width)
    assert max(len(text) for text in lines) <= width
    assert len(lines) <= 24


def test_a_screen_says_how_a_search_by_time_stands() -> None:
    schedule = {
        "seconds": 3600.0,
        "length": 60.0,
        "rungs": RUNGS,
        "survivors": [40, 10, 2],
        "workers": 1,
        "set_up": 5.0,
    }
    of = running(stored(40, RUNGS, plan={"schedule": schedule}, synthetic=True))
    text = "\n".join(shown(of, 80))
    seen = board_of(of)
    assert sum(rung.standing + rung.running for rung in seen.rungs) == 40
    assert seen.rungs[0].running == 1
    for words in ("min used", "left", "to the end", "100%", "trial 39  to 10%", "so far", "synthetic data", "U-Net BN"):
        assert words in text


def test_the_best_so_far_is_of_those_that_were_trained_longest() -> None:
    of = stored(40, RUNGS)
    lucky = replace(of.trials[5].runs[0], values={"dice": 0.999}, state=State.PAUSED)
    seen = board_of(replace(of, trials=(*of.trials[:5], replace(of.trials[5], runs=(lucky,)), *of.trials[6:])))
    assert seen.best is not None
    assert seen.best.whole
    assert seen.best.value < 0.999


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (lambda: in_state(stored(4), State.FAILED, "Traceback (x):\n  x\nValueError: no"), "ValueError: no"),
        (lambda: in_state(stored(4), State.DIVERGED, "nan"), "a lower learning rate"),
        (lambda: in_state(stored(4), State.INFEASIBLE, "9 MACs, over the limit of 3"), "over the limit of 3"),
        (lambda: stored(2, synthetic=True), "synthetic data"),
        (
            lambda: changed(stored(2), lambda trial: replace(trial, constraints={"out_of_memory": 1.0})),
            "2 networks ran out of memory",
        ),
    ],
)  # fmt: skip
def test_what_matters_is_warned_of(of: Callable[[], Stored], words: str) -> None:
    assert any(words in warning for warning in board_of(of()).warnings)


@given(st.lists(st.floats(0, 1), max_size=200), st.integers(0, 80), st.integers(1, 6))
def test_a_chart_stays_in_its_frame(values: list[float], width: int, height: int) -> None:
    lines = chart(values, width, height)
    assert len(lines) in (0, height)
    assert all(len(text) <= width + 7 for text in lines)


def console(
    monkeypatch: pytest.MonkeyPatch, *, terminal: bool, where: object = progress, name: str = "ERR"
) -> StringIO:
    written = StringIO()
    monkeypatch.setattr(where, name, Console(file=written, force_terminal=terminal, width=100, markup=False))
    return written


@pytest.mark.parametrize("terminal", [False, True])
def test_a_log_file_is_told_each_minute_what_is_going_on(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    written, now = console(monkeypatch, terminal=terminal), 0.0
    display = Display(lambda: now)
    display(TrialStarted(3, "U-Net", 1_000, 2_000))
    for step in range(200):
        now = float(step)
        display(Working("training", step, 200))
        if step == 100:
            display(Note("a line of another kind"))
    lines = [line for line in written.getvalue().splitlines() if line.startswith("U-Net")]
    told = [f"U-Net (1.0 k parameters): training {step}/200" for step in (61, 161)]
    assert lines == ([] if terminal else told)


def searched(display: Display) -> MemoryStudy:
    """A search of three networks that a display has heard of."""
    of = study()
    display(Opened(of, 3))
    search(of, [start("a"), start("b"), start("c")], wanted=3, hear=display)
    return of


def test_a_short_search_tells_a_log_file_at_its_end_how_it_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    written = console(monkeypatch, terminal=False)
    with Display(lambda: 0.0) as display:
        searched(display)
    assert [
        text for text in written.getvalue().splitlines() if "3/3 trained" in text
    ] == written.getvalue().splitlines()
    assert "best Dice 0.5000 (trial 0)" in written.getvalue()


def test_a_program_is_told_each_event_as_a_line_of_json(monkeypatch: pytest.MonkeyPatch) -> None:
    written = console(monkeypatch, terminal=True)
    with Display(lambda: 0.0, as_json=True) as display:
        display(Note(HOSTILE))
        searched(display)
    events = [json.loads(text) for text in written.getvalue().splitlines()]
    assert events[0]["text"] == HOSTILE
    assert [event["event"] for event in events[1:]] == ["started", "ended"] * 3
    assert (events[-1]["state"], events[-1]["values"], events[-1]["complete"]) == ("complete", {"dice": 0.5}, 3)
    assert all("time" in event for event in events)


def test_a_screen_is_drawn_while_a_search_runs_and_gone_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    written = console(monkeypatch, terminal=True)
    with Display(lambda: 0.0) as display:
        searched(display)
        display._live.refresh()
        assert "stand-in: tiny on nothing" in written.getvalue()
        assert "3 of 3 trained" in written.getvalue()
    assert written.getvalue().rstrip().endswith("\x1b[2K")


def test_a_quiet_display_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    written = console(monkeypatch, terminal=True)
    with Display(silent=True) as display:
        searched(display)
    assert written.getvalue() == ""


class Watched(MemoryStudy):
    """A study in memory that also says how many networks are wanted."""

    def wanted(self) -> int:
        return 3


def watched(monkeypatch: pytest.MonkeyPatch, *, terminal: bool, as_json: bool = False) -> str:
    """What a watcher is shown while a network is trained every half minute, for two and a half."""
    written = console(monkeypatch, terminal=terminal, where=watching, name="OUT")
    of, now = Watched(study().settings), [0.0]

    def sleep(_: float) -> None:
        now[0] += 30
        if now[0] > 150:
            raise KeyboardInterrupt
        search(of, [start(f"{now[0]}")], hear=lambda _: None)

    with pytest.raises(KeyboardInterrupt):
        watch(of, as_json=as_json, sleep=sleep, clock=lambda: now[0])  # type: ignore[arg-type]
    return written.getvalue()


def test_a_watcher_sees_a_screen_on_a_terminal_and_a_line_a_minute_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "1 of 3 trained" in watched(monkeypatch, terminal=True)
    lines = watched(monkeypatch, terminal=False).splitlines()
    assert [text.split()[1] for text in lines] == ["trained,", "2/3", "4/3"] or len(lines) == 3


def test_a_program_that_watches_gets_a_line_for_each_change(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    watched(monkeypatch, terminal=True, as_json=True)
    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [standing["complete"] for standing in lines] == [0, 1, 2, 3, 4, 5]
    assert lines[-1]["best"] == {"name": "trial 0", "dice": 0.5}


def test_a_line_holds_what_a_screen_does_in_short() -> None:
    text = line(board_of(running(stored(12))), Time(60.0, 30.0))
    assert text.startswith("67%: 11/60 trained, 1 min used, 30.0 s left; best Dice 0.8")
    assert "in training trial 11" in text


def test_what_one_network_is_doing_is_told_and_of_several_only_who_they_are() -> None:
    one = board_of(running(stored(12)))
    for seen, told in ((one, True), (replace(one, underway=one.underway * 2), False)):
        assert line(seen, Time(60.0, 30.0), "validating 3/16").endswith("; validating 3/16") == told


@pytest.mark.parametrize(("done", "total", "words"), [(2, 9, "at work 2/9"), (0, 0, "at work")])
def test_how_much_is_done_is_told_where_it_is_known(done: int, total: int, words: str) -> None:
    assert Working("at work", done, total).in_words == words


def test_what_failed_has_a_line_of_its_own_in_a_log_file(monkeypatch: pytest.MonkeyPatch) -> None:
    written = console(monkeypatch, terminal=False)
    failed = in_state(stored(4), State.FAILED, "Traceback (most recent call last):\n  x\nValueError: [red]no").trials[3]
    Display(lambda: 0.0)(TrialEnded(failed, 0, 4))
    assert written.getvalue() == "trial 3: failed: ValueError: [red]no\n"
    assert complete(0.5).state is State.COMPLETE
