"""Why a training failed, in one line."""

import traceback

import pytest

from nas.study.history import State, Trial


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
    trial = Trial(number=0, decisions=None, digest=None, recipe_digest=None, refusal=State.INFEASIBLE, reason=reason)
    assert trial.cause == cause
