"""The queries of docs/queries.md answer, on every database."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from nas.study.history import Measurement, Result, State
from nas.study.sql.study import SqlStudy
from tests.study.runs import refused, started

PAGE = (Path(__file__).parents[2] / "docs" / "queries.md").read_text()
QUERIES = dict(re.findall(r"## (.+?)\n.*?```sql\n(.+?)```", PAGE, re.DOTALL))
NETWORKS = [("plain", 0.5, 1_000, "U-Net"), ("dense", 0.7, 2_000, None), ("plain", 0.4, 3_000, None)]
EXPECTED: dict[str, list[tuple[object, ...]]] = {
    "The ten best networks": [(1, 0.7, 2_000), (0, 0.5, 1_000), (2, 0.4, 3_000)],
    "The best of each kind of block": [("dense", 1, 0.7), ("plain", 2, 0.5)],
    "The Pareto front of Dice and parameters": [(0, 0.5, 1_000), (1, 0.7, 2_000)],
    "Seconds spent on losers": [(1, 10.0, pytest.approx(1 / 3))],
    "Learning curves": [(0, 0, 1, 1.5), (1, 0, 1, 1.5), (2, 0, 1, 1.5)],
    "The cases that every network finds hard": [("case_1", pytest.approx(1.6 / 3), 0.7)],
    "Who trained what, and who is at work": [(None, "cpu", None, None, 3, 30.0), (None, "cpu", None, None, 0, None)],
    "What went wrong": [(3, "infeasible", 0, "too large")],
}


@pytest.fixture
def answered(study: SqlStudy) -> SqlStudy:
    with study.at_work("cpu", lease=30) as worker:
        for number, (block, dice, parameters, reference) in enumerate(NETWORKS):
            about = {"decisions": {"encoder.0.block": block}, "parameters": parameters, "reference": reference}
            claim = started(study, worker, f"net {number}", **about)
            study.report(claim, [Measurement(1, "loss", 1.5), Measurement(1, "dice", dice, 1, "case_1")])
            study.finish(claim, Result(state=State.COMPLETE, values={"dice": dice}, seconds=10.0))
    refused(study, "net 3", "too large")
    return study


@pytest.mark.parametrize("question", QUERIES)
def test_a_query_answers(answered: SqlStudy, question: str) -> None:
    query = QUERIES[question]
    if answered.storage.engine.dialect.name == "postgresql":
        query = query.replace("""'$."encoder.0.block"'""", "'encoder.0.block'")  # as the page says
    with answered.storage.begin() as session:
        rows = session.execute(text(query), {"study": answered.name}).all()
    expected = EXPECTED[question]
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert all(value == found for found, value in zip(row, wanted, strict=False) if value is not None)
