"""nas compare at the command line."""

from dataclasses import replace
from pathlib import Path

import pytest

from nas.study.history import Measurement, Result, State
from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import open_storage
from tests.cli.command import Command
from tests.study.conftest import SETTINGS
from tests.study.runs import begun

CASES = [f"case {number}" for number in range(8)]


@pytest.fixture
def storage(tmp_path: Path) -> str:
    """Three studies: one of lower Dice in every case, one of higher, and one of other data."""
    path = tmp_path / "nas.db"
    with open_storage(path) as opened:
        for name, dice, changes in (("low", 0.6, {}), ("high", 0.8, {}), ("other", 0.7, {"data_digest": "f" * 64})):
            study = create_or_resume(opened, replace(SETTINGS, name=name, **changes))
            for number in range(2):
                claim = begun(study, f"{name} {number}")
                values = [dice + 0.01 * place + 0.02 * number for place in range(len(CASES))]
                study.report(
                    claim,
                    [Measurement(1, "dice", 0.1, 1, CASES[0])]
                    + [Measurement(5, "dice", value, 1, case) for case, value in zip(CASES, values, strict=True)],
                )
                mean = sum(values) / len(values)
                study.finish(claim, Result(state=State.COMPLETE, values={"dice": mean}, seconds=30.0))
        create_or_resume(opened, replace(SETTINGS, name="empty"))
    return str(path)


def test_studies_stand_side_by_side(storage: str, nas: Command) -> None:
    found = nas("compare", "low", "high", "--storage", storage, "--json").json
    assert [row["study"] for row in found["studies"]] == ["low", "high"]
    assert [row["seconds"] for row in found["studies"]] == [60.0, 60.0]
    assert [len(row["anytime"]) for row in found["studies"]] == [2, 2]
    (difference,) = found["differences"]
    assert difference["difference"] == pytest.approx(0.2)
    assert (difference["low"], difference["high"]) == pytest.approx((0.2, 0.2))
    assert [row["regret"] for row in found["studies"]] == pytest.approx([0.2, 0.0])
    assert [group["value"]["count"] for group in found["groups"]] == [1, 1]
    shown = nas("compare", "low", "high", "--storage", storage)
    assert shown.code == 0
    assert "high against low: +0.2000 Dice, case by case" in shown.out


def test_studies_that_differ_by_their_seed_are_one(storage: str, nas: Command) -> None:
    found = nas("compare", "low,high", "high", "--storage", storage, "--json").json
    both, high = found["groups"]
    assert both["studies"] == ["low", "high"]
    last = both["moments"][-1]
    assert (last["low"], last["median"], last["high"]) == pytest.approx((0.655, 0.755, 0.855))
    assert both["regret"]["high"] == pytest.approx(0.2)
    assert high["moments"][0] == {"seconds": 60 / 32, "median": None, "low": None, "high": None, "count": 0}
    (difference,) = found["differences"]
    assert difference["baseline"] == "low,high"
    assert difference["difference"] == pytest.approx(0.1)
    shown = nas("compare", "low,high", "high", "--storage", storage)
    assert shown.code == 0
    assert "low,high" in shown.out


@pytest.mark.parametrize(
    ("studies", "message"),
    [
        (("low",), "give two or more to compare"),
        (("low", "other"), "'other' has another data digest than 'low'"),
        (("low", "empty"), "study 'empty': no network is trained to the end yet"),
        (("low", "hihg"), "hihg"),
        (("low,other", "high"), "'other' has another data digest than 'low'"),
    ],
)
def test_what_cannot_be_compared_is_said(studies: tuple[str, ...], message: str, storage: str, nas: Command) -> None:
    ended = nas("compare", *studies, "--storage", storage)
    assert ended.code == 2
    assert message in " ".join(ended.err.split())
