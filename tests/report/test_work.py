"""What a report of many networks takes: counted, for time is another on every machine."""

from collections import Counter
from typing import Any

import pytest

from nas.report import figures, gathering, material
from nas.report.page import page
from nas.study.history import History
from tests.report.factories import Stored, stored


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a study is asked, trials are ranked and networks drawn."""
    counted: Counter[str] = Counter()

    def counting(where: Any, name: str) -> None:
        inner = getattr(where, name)

        def outer(*arguments: Any, **named: Any) -> Any:
            counted[name] += 1
            return inner(*arguments, **named)

        monkeypatch.setattr(where, name, outer)

    for where, name in (
        (Stored, "history"), (Stored, "measurements"), (Stored, "architecture"), (material, "ranked"),
        (gathering, "draw"), (History, "ended_runs"),
    ):  # fmt: skip
        counting(where, name)
    return counted


@pytest.mark.parametrize("count", [30, 120])
def test_what_a_report_asks_and_draws_does_not_grow_with_the_study(work: Counter[str], count: int) -> None:
    text = page(stored(count, (0.25, 1.0)).material)
    assert (work["history"], work["measurements"]) == (1, 2)
    assert work["architecture"] <= gathering.MOST_DRAWINGS
    assert work["draw"] <= gathering.MOST_DRAWINGS + 1
    assert work["ranked"] <= 5
    assert work["ended_runs"] <= len(figures.names())
    assert len(text) < 8_000_000
