"""The queries of docs/queries.md answer, on every database."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from nas.study import claims
from nas.study.records import Claim, Measurement, Proposal, State
from nas.study.study import Study
from nas.study.workers import at_work

PAGE = (Path(__file__).parents[2] / "docs" / "queries.md").read_text()
QUERIES = dict(re.findall(r"## (.+?)\n.*?```sql\n(.+?)```", PAGE, re.DOTALL))
NETWORKS = [("plain", 0.5, 1_000, "U-Net"), ("dense", 0.7, 2_000, None), ("plain", 0.4, 3_000, None)]
EXPECTED: dict[str, list[tuple[object, ...]]] = {
    "The ten best networks": [(1, 0.7, 2_000), (0, 0.5, 1_000), (2, 0.4, 3_000)],
    "The best of each kind of block": [("dense", 1, 0.7), ("plain", 2, 0.5)],
    "The Pareto front of Dice and parameters": [(0, 0.5, 1_000), (1, 0.7, 2_000)],
    "Seconds spent on losers": [(1, 10.0)],
    "Learning curves": [(0, 1, 1.5), (1, 1, 1.5), (2, 1, 1.5)],
    "The cases that every network finds hard": [("case_1", pytest.approx(1.6 / 3), 0.7)],
    "Who trained what, and who is at work": [(None, "cpu")],
    "What went wrong": [(3, "infeasible", 0, "too large")],
}


@pytest.fixture
def answered(study: Study, known: Callable[..., str]) -> Study:
    with at_work(study, "cpu", lease=30) as worker:
        for trial, (block, dice, parameters, reference) in enumerate(NETWORKS):
            digest = known(f"net {trial}", parameters=parameters)
            proposal = Proposal(decisions={"encoder.0.block": block}, digest=digest, reference=reference)
            claim = claims.begin(study, worker.id, trial, proposal, wanted=9, device="cpu")
            assert isinstance(claim, Claim)
            study.measure(claim.evaluation, [Measurement(1, "loss", 1.5), Measurement(1, "dice", dice, 1, "case_1")])
            claims.end(study, claim, State.COMPLETE, dice=dice, seconds=10.0)
        over = Proposal(decisions={}, digest=known("net 3"))
        claims.note(study, 3, over, State.INFEASIBLE, "too large")
    return study


@pytest.mark.parametrize("question", QUERIES)
def test_a_query_answers(answered: Study, question: str) -> None:
    query = QUERIES[question]
    if answered.storage.engine.dialect.name == "postgresql":
        query = query.replace("""'$."encoder.0.block"'""", "'encoder.0.block'")  # as the page says
    with answered.storage.begin() as session:
        rows = session.execute(text(query), {"study": answered.name}).all()
    expected = EXPECTED[question]
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        assert all(value == found for found, value in zip(row, wanted, strict=False) if value is not None)
