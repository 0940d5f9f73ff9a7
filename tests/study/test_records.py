"""Why a training failed, in one line."""

import traceback
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nas.study.records import Evaluation, State

FAILED = Evaluation(
    id=1, trial=0, digest=None, parameters=None, macs=None, reference=None, state=State.FAILED, reason=None, fold=0,
    seed=0, rung=0, device=None, worker=None, started=datetime(2026, 1, 1, tzinfo=UTC), finished=None, seconds=None,
    peak_bytes=None, epochs=None, dice=None,
)  # fmt: skip


def raised() -> str:
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("sizes differ\n\nSet VERBOSE=1 for more [/dim]") from error
    except ValueError:
        return traceback.format_exc()


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (raised(), "ValueError: sizes differ"),
        ("out of memory: 4 GB\n", "out of memory: 4 GB"),
        ("", "no reason given"),
        (None, "no reason given"),
    ],
)
def test_the_cause_is_one_line(reason: str | None, cause: str) -> None:
    assert replace(FAILED, reason=reason).cause == cause
