"""An evaluation has one worker at most, is never trained twice at once, and never lost."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, update

from nas.study import claims, mirror
from nas.study.claims import MOST_FAILURES, Busy
from nas.study.records import Claim, LostClaimError, Measurement, Proposal, State
from nas.study.storage import Storage, open_storage
from nas.study.study import Study
from nas.study.tables import WorkerRow
from nas.study.workers import Watch, Worker, at_work, end_worker, living

Known = Callable[..., str]
LEASE = 30.0


@pytest.fixture
def worker(study: Study) -> Iterator[Worker]:
    with at_work(study, "cpu", lease=LEASE) as worker:
        yield worker


@pytest.fixture
def other(study: Study, worker: Worker) -> Iterator[Worker]:
    with at_work(study, "cuda:0", lease=LEASE) as other:
        yield other


def proposal(digest: str | None, **changes: object) -> Proposal:
    return replace(Proposal(decisions={"width": 8}, digest=digest), **changes)


def begin(study: Study, worker: Worker, trial: int, digest: str, wanted: int = 10, **changes: object) -> Claim | Busy:
    return claims.begin(study, worker.id, trial, proposal(digest, **changes), wanted=wanted, device="cpu")


def take_up(study: Study, worker: Worker, *dead: Worker, wanted: int = 10) -> Claim | None:
    return claims.take_up(study, worker.id, [each.id for each in dead], wanted=wanted, device="cpu")


def state(study: Study, claim: Claim) -> tuple[State, int, int]:
    found = study.evaluation(claim.evaluation)
    return found.state, found.claim, found.failures


def held(claim: Claim | Busy | None) -> Claim:
    assert isinstance(claim, Claim)
    return claim


def test_a_claimed_evaluation_says_who_has_it(study: Study, known: Known, worker: Worker) -> None:
    claim = held(begin(study, worker, 3, known("a"), constraints={"memory": -0.5}))
    found = study.evaluation(claim.evaluation)
    assert (found.trial, found.digest, found.state, found.claim) == (3, "a", State.RUNNING, 1)
    assert (found.worker_id, found.worker) == (worker.id, worker.name)
    assert (found.decisions, found.constraints) == ({"width": 8}, {"memory": -0.5})


def test_two_workers_never_train_one_network(study: Study, known: Known, worker: Worker, other: Worker) -> None:
    held(begin(study, worker, 0, known("a")))
    assert begin(study, other, 1, "a") == Busy(0)
    held(begin(study, other, 1, known("b")))


@pytest.mark.parametrize("changes", [{"fold": 1}, {"seed": 1}, {"recipe_digest": "sgd"}], ids=str)
def test_another_training_of_a_network_is_another_thing(
    study: Study, known: Known, worker: Worker, changes: dict[str, object]
) -> None:
    held(begin(study, worker, 0, known("a")))
    held(begin(study, worker, 1, "a", **changes))
    assert begin(study, worker, 2, "a", **changes) == Busy(1)


def test_no_more_are_trained_than_are_wanted(study: Study, known: Known, worker: Worker, other: Worker) -> None:
    first = held(begin(study, worker, 0, known("a"), wanted=2))
    second = held(begin(study, other, 1, known("b"), wanted=2))
    assert begin(study, other, 2, known("c"), wanted=2) == Busy(None)
    claims.end(study, first, State.COMPLETE, dice=0.5)
    assert begin(study, other, 2, "c", wanted=2) == Busy(None)
    claims.end(study, second, State.INFEASIBLE, reason="out of memory")
    held(begin(study, other, 2, "c", wanted=2))


def test_beginning_twice_is_beginning_once(study: Study, known: Known, worker: Worker) -> None:
    assert begin(study, worker, 0, known("a")) == begin(study, worker, 0, "a")


def test_what_is_given_back_is_taken_up_at_once(study: Study, known: Known, worker: Worker, other: Worker) -> None:
    claim = held(begin(study, worker, 0, known("a")))
    claims.give_back(study, claim)
    again = held(take_up(study, other))
    assert again == Claim(claim.evaluation, 2)
    assert state(study, again) == (State.RUNNING, 2, 0)
    assert take_up(study, worker) is None


def test_the_living_are_left_alone_and_the_dead_are_replaced(
    study: Study, known: Known, worker: Worker, other: Worker
) -> None:
    claim = held(begin(study, worker, 0, known("a")))
    assert take_up(study, other) is None
    assert state(study, held(take_up(study, other, worker))) == (State.RUNNING, claim.number + 1, 1)


def test_waiting_evaluations_come_in_the_order_of_their_trials(study: Study, known: Known, worker: Worker) -> None:
    for trial in (2, 0, 1):
        claims.give_back(study, held(begin(study, worker, trial, known(f"net {trial}"))))
    assert [study.evaluation(held(take_up(study, worker)).evaluation).trial for _ in range(1)] == [0]


def test_a_worker_that_was_merely_slow_cannot_write(
    study: Study, known: Known, worker: Worker, other: Worker, tmp_path: Path
) -> None:
    lost = held(begin(study, worker, 0, known("a")))
    now = held(take_up(study, other, worker))
    mine, theirs = study.holding(lost), study.holding(now)
    file = tmp_path / "checkpoint"
    file.write_bytes(b"old")
    for write in (
        lambda: mine.measure(lost.evaluation, [Measurement(1, "loss", 1.0)]),
        lambda: mine.keep_checkpoint(lost.evaluation, file),
        lambda: claims.end(study, lost, State.COMPLETE, dice=0.1),
        lambda: claims.give_up(study, lost, "Traceback"),
    ):
        with pytest.raises(LostClaimError):
            write()
    claims.give_back(study, lost)
    assert state(study, now) == (State.RUNNING, 2, 1)
    theirs.measure(now.evaluation, [Measurement(1, "loss", 0.5)])
    claims.end(study, now, State.COMPLETE, dice=0.7)
    with pytest.raises(LostClaimError):
        claims.end(study, lost, State.COMPLETE, dice=0.1)
    assert study.evaluation(now.evaluation).dice == 0.7
    assert [each.value for each in study.learning_curve(now.evaluation)] == [0.5]


def test_ending_twice_is_ending_once(study: Study, known: Known, worker: Worker) -> None:
    claim = held(begin(study, worker, 0, known("a")))
    for _ in range(2):
        claims.end(study, claim, State.COMPLETE, dice=0.5)
    assert study.counts().complete == 1


def test_an_exception_is_kept_and_tried_again_a_few_times(study: Study, known: Known, worker: Worker) -> None:
    claim = held(begin(study, worker, 0, known("a")))
    for attempt in range(1, MOST_FAILURES):
        assert claims.give_up(study, claim, "Traceback: boom") is State.WAITING
        assert study.evaluation(claim.evaluation).reason == "Traceback: boom"
        claim = held(take_up(study, worker))
        assert state(study, claim) == (State.RUNNING, attempt + 1, attempt)
    assert claims.give_up(study, claim, "Traceback: boom") is State.FAILED
    assert take_up(study, worker) is None
    assert study.evaluation(claim.evaluation).reason == "Traceback: boom"


def test_a_network_that_kills_its_workers_is_given_up(
    study: Study, known: Known, worker: Worker, other: Worker
) -> None:
    claim = held(begin(study, worker, 0, known("a")))
    turns = [(other, worker), (worker, other)]
    for attempt in range(MOST_FAILURES - 1):
        taker, dead = turns[attempt % 2]
        claim = held(take_up(study, taker, dead))
    taker, dead = turns[(MOST_FAILURES - 1) % 2]
    assert take_up(study, taker, dead) is None
    found = study.evaluation(claim.evaluation)
    assert (found.state, found.failures) == (State.FAILED, MOST_FAILURES)
    assert "its worker ended without a word" in (found.reason or "")


def test_threads_that_grab_at_once_get_one_each(study: Study, known: Known, worker: Worker) -> None:
    for trial in range(6):
        claims.give_back(study, held(begin(study, worker, trial, known(f"net {trial}"))))
    taken: list[Claim | None] = []
    threads = [threading.Thread(target=lambda: taken.append(take_up(study, worker, wanted=4))) for _ in range(6)]
    # They share a worker, whose own evaluations are taken up again too: so each thread has one of its own.
    with at_work(study, "cpu", lease=LEASE) as a, at_work(study, "cpu", lease=LEASE) as b:
        threads = [threading.Thread(target=lambda w=w: taken.append(take_up(study, w, wanted=4))) for w in (a, b)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({held(claim).evaluation for claim in taken}) == 2


def test_the_checkpoint_is_the_latest_whole_one_and_goes_with_the_end(
    study: Study, known: Known, worker: Worker, tmp_path: Path
) -> None:
    claim = held(begin(study, worker, 0, known("a")))
    holding = study.holding(claim)
    assert holding.checkpoint(claim.evaluation) is None
    for step in (b"one", b"two"):
        file = tmp_path / "state.safetensors"
        file.write_bytes(step)
        kept = holding.keep_checkpoint(claim.evaluation, file)
        assert holding.checkpoint(claim.evaluation) == kept
        assert kept.read_bytes() == step
    kept.write_bytes(b"t")  # cut in half
    assert holding.checkpoint(claim.evaluation) is None
    claims.end(study, claim, State.COMPLETE, dice=0.5)
    assert not [path for path in study.storage.artifacts.rglob("*") if path.is_file()]


def test_who_lives_and_who_is_dead(study: Study, known: Known, worker: Worker, other: Worker) -> None:
    held(begin(study, other, 0, known("a")))
    watch = Watch(study, LEASE)
    assert watch.look(worker.id) == ([], [other.id])
    end_worker(study, other.id)
    assert watch.look(worker.id) == ([other.id], [])


def test_a_worker_whose_process_is_gone_is_dead_at_once(study: Study, worker: Worker, other: Worker) -> None:
    with study.storage.begin() as session:
        session.execute(update(WorkerRow).where(WorkerRow.id == other.id).values(process=2**22 + 1))
    assert Watch(study, LEASE).look(worker.id) == ([other.id], [])


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)], ids=["back", "ahead"])
def test_a_clock_that_jumps_makes_nobody_dead(study: Study, worker: Worker, other: Worker, jump: timedelta) -> None:
    with study.storage.begin() as session:
        session.execute(update(WorkerRow).values(place="elsewhere", heartbeat=datetime.now(UTC) + jump))
    assert Watch(study, LEASE).look(worker.id) == ([], [other.id])


def test_a_worker_elsewhere_that_no_longer_beats_is_dead_after_its_lease(
    study: Study, worker: Worker, other: Worker
) -> None:
    with study.storage.begin() as session:
        session.execute(update(WorkerRow).where(WorkerRow.id == other.id).values(place="elsewhere"))
    watch = Watch(study, 0.0)
    assert watch.look(worker.id) == ([], [other.id])
    assert watch.look(worker.id) == ([other.id], [])
    with study.storage.begin() as session:
        beat = {"beats": WorkerRow.beats + 1, "heartbeat": func.now()}
        session.execute(update(WorkerRow).where(WorkerRow.id == other.id).values(beat))
    assert watch.look(worker.id) == ([], [other.id])


def test_workers_end_with_their_block(study: Study) -> None:
    with at_work(study, "cpu", lease=LEASE), at_work(study, "cpu", lease=LEASE):
        assert living(study) == 2
    assert living(study) == 0


def test_a_heart_beats(study: Study) -> None:
    beaten = threading.Event()
    with at_work(study, "cpu", lease=0.06) as worker:
        for _ in range(200):
            with study.storage.begin() as session:
                if session.get_one(WorkerRow, worker.id).beats >= 2:
                    beaten.set()
                    break
            beaten.wait(0.05)
    assert beaten.is_set()


WIDTH = {"width": __import__("optuna").distributions.IntDistribution(4, 16)}


def told(study: Study) -> list[tuple[str, float | None]]:
    return [(trial.state.name, trial.value) for trial in study.optuna_study().trials]


def test_optuna_has_each_proposal_with_its_parameters(study: Study, worker: Worker) -> None:
    wanted = proposal("a", reference="U-Net", constraints={"memory": -0.5})
    assert [mirror.make(study, wanted, WIDTH, worker.id) for _ in range(2)] == [0, 1]
    trial = study.optuna_study().trials[0]
    assert (trial.params, trial.user_attrs["reference"]) == ({"width": 8}, "U-Net")
    assert trial.constraints == {"memory": -0.5}


def test_a_result_stored_but_not_told_is_told(study: Study, known: Known, worker: Worker) -> None:
    trial = mirror.make(study, proposal("a"), WIDTH, worker.id)
    claim = held(begin(study, worker, trial, known("a")))
    assert mirror.settle(study) == 0
    claims.end(study, claim, State.COMPLETE, dice=0.75)
    assert told(study) == [("RUNNING", None)]
    assert mirror.settle(study, lambda: [worker.id]) == 1
    assert told(study) == [("COMPLETE", 0.75)]
    mirror.tell(study, study.evaluation(claim.evaluation))
    assert told(study) == [("COMPLETE", 0.75)]


def test_a_network_out_of_memory_is_told_as_infeasible(study: Study, known: Known, worker: Worker) -> None:
    trial = mirror.make(study, proposal("a", constraints={"macs": -0.5}), WIDTH, worker.id)
    claim = held(begin(study, worker, trial, known("a")))
    claims.end(study, claim, State.INFEASIBLE, constraints={"macs": -0.5, "out_of_memory": 1.0})
    mirror.tell(study, study.evaluation(claim.evaluation))
    assert study.optuna_study().trials[0].constraints == {"macs": -0.5, "out_of_memory": 1.0}


def test_a_proposal_that_never_began_fails_once_its_worker_is_gone(study: Study, worker: Worker) -> None:
    mirror.make(study, proposal("a"), WIDTH, worker.id)
    assert mirror.settle(study, lambda: [worker.id]) == 0
    assert mirror.settle(study) == 1
    assert told(study) == [("FAIL", None)]


def test_a_proposal_of_a_worker_that_began_while_optuna_was_being_read_is_left_alone(
    study: Study, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work_by_then: list[int] = []
    read = mirror._unfinished

    def meanwhile(of: Study) -> dict[int, int | None]:
        at_work_by_then.append(worker.id)
        mirror.make(of, proposal("a"), WIDTH, worker.id)
        return read(of)

    monkeypatch.setattr(mirror, "_unfinished", meanwhile)
    assert mirror.settle(study, lambda: tuple(at_work_by_then)) == 0
    assert told(study) == [("RUNNING", None)]


def test_another_process_sees_the_same(study: Study, storage: Storage, address: str, known: Known) -> None:
    with open_storage(address, artifacts=storage.artifacts) as second:
        again = replace(study, storage=second)
        with at_work(study, "cpu", lease=LEASE) as one, at_work(again, "cpu", lease=LEASE) as two:
            held(begin(study, one, 0, known("a")))
            assert begin(again, two, 1, "a") == Busy(0)
            assert (one.rank, two.rank) == (0, 1)
