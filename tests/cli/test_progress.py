"""What a search tells a log file, where no line can move."""

from io import StringIO

import pytest
from rich.console import Console

from nas.cli import progress
from nas.cli.progress import Display
from nas.searching.events import Note, TrialStarted, Working


@pytest.mark.parametrize("terminal", [False, True])
def test_a_log_file_is_told_each_minute_what_is_going_on(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    written, now = StringIO(), 0.0
    monkeypatch.setattr(progress, "ERR", Console(file=written, force_terminal=terminal, width=100))
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
