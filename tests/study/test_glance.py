"""A study at a glance says what its whole history says."""

import random

from nas.study.history import Result, RunKey, State
from nas.study.objective import DICE
from nas.study.protocol import ArchitectureRecord, Claim, Proposal
from nas.study.sql.study import SqlStudy
from nas.study.summary import glance

STATES = (State.COMPLETE, State.COMPLETE, State.PAUSED, State.DIVERGED, State.INFEASIBLE)


def test_a_glance_is_read_off_the_same_trials_as_the_history(study: SqlStudy) -> None:
    chance = random.Random(0)
    with study.at_work("cpu", lease=30) as worker:
        for number in range(40):
            digest = f"net {chance.randrange(30)}"
            record = ArchitectureRecord(digest, {}, {}, parameters=chance.randrange(3), macs=1, training_bytes=1)
            refusal = State.INFEASIBLE if chance.random() < 0.2 else None
            reference = f"published {number}" if chance.random() < 0.2 else None
            facts = {"decisions": {}, "digest": digest, "architecture": record, "refusal": refusal}
            claim = study.start(Proposal(**facts, reference=reference), worker, most=99)  # type: ignore[arg-type]
            if not isinstance(claim, Claim):
                continue
            state = chance.choice(STATES)
            study.finish(claim, Result(state=state, values={"dice": chance.randrange(5) / 5}))
            for key in (RunKey(rung=1), RunKey(fold=1)):
                further = study.go_on(study.history().trials[-1].number, key, worker) if chance.random() < 0.3 else None
                if isinstance(further, Claim):
                    study.finish(further, Result(state=State.COMPLETE, values={"dice": chance.random()}))
    for most in (0, 1, 5):
        assert study.glance(most) == glance(study.history(), DICE, most)
    assert study.glance(5).counts.complete > 5
