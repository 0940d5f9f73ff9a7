"""A run has one worker at most, is never trained twice at once, and never lost."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, update

from nas.study.history import Measurement, Result, RunKey, State, Trial
from nas.study.protocol import CHECKPOINT, MOST_FAILURES, Busy, Claim, LostClaimError, Orphaned, Worker
from nas.study.sql.storage import Storage, open_storage
from nas.study.sql.study import SqlStudy
from nas.study.sql.tables import WorkerRow
from nas.study.sql.workers import end_process, end_worker, living
from tests.study.runs import proposal, run_of, started

LEASE = 30.0


@pytest.fixture
def worker(study: SqlStudy) -> Iterator[Worker]:
    with study.at_work("cpu", lease=LEASE) as worker:
        yield worker


@pytest.fixture
def other(study: SqlStudy, worker: Worker) -> Iterator[Worker]:
    with study.at_work("cuda:0", lease=LEASE) as other:
        yield other


def begin(study: SqlStudy, worker: Worker, digest: str, most: int = 10, **about: Any) -> Claim | Trial | Busy:
    return study.start(proposal(digest, **about), worker, most=most)


def take_up(study: SqlStudy, worker: Worker, *dead: Worker) -> Claim | None:
    return study.take_up(worker, [each.id for each in dead])


def complete(dice: float = 0.5) -> Result:
    return Result(state=State.COMPLETE, values={"dice": dice})


def state(study: SqlStudy, claim: Claim) -> tuple[State, int, int]:
    run = run_of(study, claim.run)
    return run.state, run.claim, run.failures


def held(claim: Claim | Trial | Busy | None) -> Claim:
    assert isinstance(claim, Claim)
    return claim


def test_a_claimed_run_says_who_has_it(study: SqlStudy, worker: Worker) -> None:
    claim = held(begin(study, worker, "a", constraints={"memory": -0.5}, decisions={"width": 8}))
    (trial,) = study.history().trials
    (run,) = trial.runs
    assert (trial.number, trial.digest, run.state, run.claim) == (0, "a", State.RUNNING, 1)
    assert (run.id, run.worker_id, run.worker, run.device) == (claim.run, worker.id, worker.name, "cpu")
    assert (trial.decisions, trial.constraints) == ({"width": 8}, {"memory": -0.5})


def test_two_workers_never_train_one_network(study: SqlStudy, worker: Worker, other: Worker) -> None:
    held(begin(study, worker, "a"))
    assert begin(study, other, "a") == Busy("another worker has the network of trial 0")
    held(begin(study, other, "b"))
    assert len(study.history().trials) == 2


def test_another_recipe_for_a_network_is_another_trial(study: SqlStudy, worker: Worker, other: Worker) -> None:
    held(begin(study, worker, "a"))
    held(begin(study, worker, "a", recipe_digest="sgd"))
    assert begin(study, other, "a", recipe_digest="sgd") == Busy("another worker has the network of trial 1")


@pytest.mark.parametrize("key", [RunKey(fold=1), RunKey(seed=1), RunKey(rung=1)], ids=str)
def test_another_training_of_a_trial_is_another_run(
    study: SqlStudy, worker: Worker, other: Worker, key: RunKey
) -> None:
    study.finish(held(begin(study, worker, "a")), complete())
    claim = held(study.go_on(0, key, worker))
    assert study.go_on(0, key, worker) == claim
    assert study.go_on(0, key, other) == Busy(f"{worker.name} has begun this run of trial 0")
    assert [run.key for run in study.history().trials[0].runs] == [RunKey(), key]


def test_no_more_are_trained_than_are_wanted(study: SqlStudy, worker: Worker, other: Worker) -> None:
    first = held(begin(study, worker, "a", most=2))
    second = held(begin(study, other, "b", most=2))
    full = Busy("2 networks are trained or in hand")
    assert begin(study, other, "c", most=2) == full
    study.finish(first, complete())
    assert begin(study, other, "c", most=2) == full
    study.finish(second, Result(state=State.INFEASIBLE, reason="out of memory"))
    held(begin(study, other, "c", most=2))


def test_beginning_twice_is_beginning_once(study: SqlStudy, worker: Worker) -> None:
    assert held(begin(study, worker, "a")) == begin(study, worker, "a")
    assert len(study.history().trials) == 1


def test_what_is_given_back_is_taken_up_at_once(study: SqlStudy, worker: Worker, other: Worker) -> None:
    claim = held(begin(study, worker, "a"))
    study.give_back(claim)
    again = held(take_up(study, other))
    assert again == Claim(claim.run, 2)
    assert state(study, again) == (State.RUNNING, 2, 0)
    assert take_up(study, worker) is None


def test_the_living_are_left_alone_and_the_dead_are_replaced(study: SqlStudy, worker: Worker, other: Worker) -> None:
    claim = held(begin(study, worker, "a"))
    assert take_up(study, other) is None
    assert state(study, held(take_up(study, other, worker))) == (State.RUNNING, claim.number + 1, 1)


def test_waiting_runs_come_in_the_order_of_their_trials(study: SqlStudy, worker: Worker) -> None:
    claims = [held(begin(study, worker, f"net {number}")) for number in range(3)]
    for claim in reversed(claims):
        study.give_back(claim)
    assert held(take_up(study, worker)).run == claims[0].run


def test_a_worker_that_was_merely_slow_cannot_write(
    study: SqlStudy, worker: Worker, other: Worker, tmp_path: Path
) -> None:
    lost = held(begin(study, worker, "a"))
    now = held(take_up(study, other, worker))
    file = tmp_path / "checkpoint"
    file.write_bytes(b"old")
    for write in (
        lambda: study.report(lost, [Measurement(1, "loss", 1.0)]),
        lambda: study.keep(lost, CHECKPOINT, file),
        lambda: study.finish(lost, complete(0.1)),
        lambda: study.give_up(lost, "Traceback"),
    ):
        with pytest.raises(LostClaimError):
            write()
    study.give_back(lost)
    assert state(study, now) == (State.RUNNING, 2, 1)
    study.report(now, [Measurement(1, "loss", 0.5)])
    study.finish(now, complete(0.7))
    with pytest.raises(LostClaimError):
        study.finish(lost, complete(0.1))
    run = run_of(study, now.run)
    assert run.values == {"dice": 0.7}
    assert [point.value for point in run.curve] == [0.5]


def test_ending_twice_is_ending_once(study: SqlStudy, worker: Worker) -> None:
    claim = held(begin(study, worker, "a"))
    for _ in range(2):
        study.finish(claim, complete())
    assert study.counts()[1][State.COMPLETE] == 1


def test_an_exception_is_kept_and_tried_again_a_few_times(study: SqlStudy, worker: Worker) -> None:
    claim = held(begin(study, worker, "a"))
    for attempt in range(1, MOST_FAILURES):
        assert study.give_up(claim, "Traceback: boom") is State.WAITING
        assert run_of(study, claim.run).reason == "Traceback: boom"
        claim = held(take_up(study, worker))
        assert state(study, claim) == (State.RUNNING, attempt + 1, attempt)
    assert study.give_up(claim, "Traceback: boom") is State.FAILED
    assert take_up(study, worker) is None
    assert run_of(study, claim.run).reason == "Traceback: boom"


def test_a_network_that_kills_its_workers_is_given_up(study: SqlStudy, worker: Worker, other: Worker) -> None:
    claim = held(begin(study, worker, "a"))
    turns = [(other, worker), (worker, other)]
    for attempt in range(MOST_FAILURES - 1):
        taker, dead = turns[attempt % 2]
        claim = held(take_up(study, taker, dead))
    taker, dead = turns[(MOST_FAILURES - 1) % 2]
    assert take_up(study, taker, dead) is None
    run = run_of(study, claim.run)
    assert (run.state, run.failures) == (State.FAILED, MOST_FAILURES)
    assert "its worker ended without a word" in (run.reason or "")


def test_threads_that_grab_at_once_get_one_each(study: SqlStudy, worker: Worker) -> None:
    for number in range(6):
        study.give_back(held(begin(study, worker, f"net {number}")))
    taken: list[Claim | None] = []
    with study.at_work("cpu", lease=LEASE) as a, study.at_work("cpu", lease=LEASE) as b:
        threads = [threading.Thread(target=lambda w=w: taken.append(take_up(study, w))) for w in (a, b)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({held(claim).run for claim in taken}) == 2


def test_the_checkpoint_is_the_latest_whole_one_and_goes_with_the_end(
    study: SqlStudy, worker: Worker, tmp_path: Path
) -> None:
    claim = held(begin(study, worker, "a"))
    assert study.checkpoint(claim) is None
    for step in (b"one", b"two"):
        file = tmp_path / "state.safetensors"
        file.write_bytes(step)
        study.keep(claim, CHECKPOINT, file)
        kept = study.checkpoint(claim)
        assert kept is not None
        assert kept.read_bytes() == step
    kept.write_bytes(b"t")  # cut in half
    assert study.checkpoint(claim) is None
    study.finish(claim, complete())
    assert files(study) == []


def test_a_paused_run_keeps_its_checkpoint_and_the_next_rung_goes_on_from_it(
    study: SqlStudy, worker: Worker, tmp_path: Path
) -> None:
    def keep(claim: Claim, content: str) -> None:
        (tmp_path / "state.safetensors").write_text(content)
        study.keep(claim, CHECKPOINT, tmp_path / "state.safetensors")

    def checkpoint(claim: Claim) -> str | None:
        path = study.checkpoint(claim)
        return path and path.read_text()

    first = held(begin(study, worker, "a"))
    keep(first, "rung 0")
    study.finish(first, Result(state=State.PAUSED, values={"training_dice": 0.3}))
    (trial,) = study.history().trials
    assert (trial.state, trial.values) == (State.PAUSED, {"training_dice": 0.3})
    second = held(study.go_on(0, RunKey(rung=1), worker))
    elsewhere = held(study.go_on(0, RunKey(rung=1, seed=1), worker))
    assert (checkpoint(second), checkpoint(elsewhere)) == ("rung 0", None)
    keep(second, "rung 1")
    assert checkpoint(second) == "rung 1"
    study.finish(second, Result(state=State.PAUSED, values={"training_dice": 0.4}))
    assert [path.read_text() for path in files(study)] == ["rung 1"]
    third = held(study.go_on(0, RunKey(rung=2), worker))
    assert checkpoint(third) == "rung 1"
    study.finish(third, complete(0.8))
    assert files(study) == []
    assert study.history().trials[0].values == {"dice": 0.8}


def files(study: SqlStudy) -> list[Path]:
    return [path for path in study.storage.artifacts.rglob("*") if path.is_file() and not path.name.startswith(".")]


def test_who_lives_and_who_is_dead(study: SqlStudy, worker: Worker, other: Worker) -> None:
    held(begin(study, other, "a"))
    watch = study.watch(LEASE)
    assert watch.look(worker.id) == ([], [other.id])
    end_worker(study.storage, other.id)
    assert watch.look(worker.id) == ([other.id], [])


def test_a_worker_whose_process_is_gone_is_dead_at_once(study: SqlStudy, worker: Worker, other: Worker) -> None:
    with study.storage.begin() as session:
        session.execute(update(WorkerRow).where(WorkerRow.id == other.id).values(process=2**22 + 1))
    assert study.watch(LEASE).look(worker.id) == ([other.id], [])


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)], ids=["back", "ahead"])
def test_a_clock_that_jumps_makes_nobody_dead(study: SqlStudy, worker: Worker, other: Worker, jump: timedelta) -> None:
    with study.storage.begin() as session:
        session.execute(update(WorkerRow).values(place="elsewhere", heartbeat=datetime.now(UTC) + jump))
    assert study.watch(LEASE).look(worker.id) == ([], [other.id])


def test_a_worker_elsewhere_that_no_longer_beats_is_dead_after_its_lease(
    study: SqlStudy, worker: Worker, other: Worker
) -> None:
    with study.storage.begin() as session:
        session.execute(update(WorkerRow).where(WorkerRow.id == other.id).values(place="elsewhere"))
    watch = study.watch(0.0)
    assert watch.look(worker.id) == ([], [other.id])
    assert watch.look(worker.id) == ([other.id], [])
    with study.storage.begin() as session:
        beat = {"beats": WorkerRow.beats + 1, "heartbeat": func.now()}
        session.execute(update(WorkerRow).where(WorkerRow.id == other.id).values(beat))
    assert watch.look(worker.id) == ([], [other.id])


def test_workers_end_with_their_block(study: SqlStudy) -> None:
    with study.at_work("cpu", lease=LEASE), study.at_work("cpu", lease=LEASE):
        assert living(study.storage, study.id) == 2
    assert living(study.storage, study.id) == 0


def test_all_workers_of_a_process_end_with_it(study: SqlStudy, worker: Worker, other: Worker) -> None:
    with study.storage.begin() as session:
        session.execute(update(WorkerRow).where(WorkerRow.id == other.id).values(process=2**22 + 1))
    end_process(study.storage, study.id, 2**22 + 1)
    assert living(study.storage, study.id) == 1


def test_a_heart_beats_and_hears_that_the_process_that_started_it_has_ended(study: SqlStudy) -> None:
    beaten, orphaned = threading.Event(), threading.Event()
    with study.at_work("cpu", lease=0.06, orphaned=Orphaned(1_000_000_000, orphaned.set)) as worker:
        for _ in range(200):
            with study.storage.begin() as session:
                if session.get_one(WorkerRow, worker.id).beats >= 2:
                    beaten.set()
                    break
            beaten.wait(0.05)
    assert beaten.is_set()
    assert orphaned.is_set()


def test_another_process_sees_the_same(study: SqlStudy, storage: Storage, address: str) -> None:
    with open_storage(address, artifacts=storage.artifacts) as second:
        again = replace(study, storage=second)
        with study.at_work("cpu", lease=LEASE) as one, again.at_work("cpu", lease=LEASE) as two:
            started(study, one, "a")
            assert begin(again, two, "a") == Busy("another worker has the network of trial 0")
            assert (one.rank, two.rank) == (0, 1)
