"""What optuna-dashboard shows beside trials, and that it changes nothing by looking."""

import io
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from optuna.artifacts.exceptions import ArtifactNotFound
from sqlalchemy import event

from nas.errors import InputError
from nas.report.dashboard import CASES, NETWORK, Pictured, Pictures
from nas.study.history import Measurement, Result, State, Trial
from nas.study.protocol import ArchitectureRecord
from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import Storage, open_storage
from nas.study.sql.study import SqlStudy
from tests.report.factories import members
from tests.study.conftest import SETTINGS
from tests.study.runs import begun, complete, failed, image, refused

dashboard = pytest.importorskip("optuna_dashboard", reason="not installed: pip install 'nas[dashboard]'")


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    with open_storage(str(tmp_path / "nas.db")) as opened:
        fill(create_or_resume(opened, SETTINGS))
        yield opened


def fill(study: SqlStudy) -> None:
    """A network that is complete, one whose graph nobody can read, one over a limit, one that failed."""
    _, graph, _ = members(1)[0]
    costs = {"parameters": graph.parameters, "macs": graph.macs, "training_bytes": graph.training_bytes}
    record = ArchitectureRecord(digest=graph.digest, document={}, graph=graph.to_json(), **costs)
    claim = begun(study, graph.digest, architecture=record, reference="U-Net")
    study.report(claim, [Measurement(1, "training_dice", 0.3), Measurement(2, "training_dice", 0.4)])
    study.finish(claim, Result(state=State.COMPLETE, values={"dice": 0.5}))
    complete(study, "unreadable", 0.25)
    refused(study, "large", "too large")
    failed(study, None, "no")
    image(study)


def seen(study: SqlStudy, trial: Trial) -> bytes:
    if trial.number:
        raise InputError("the weights are gone")
    return f"cases of {study.name}".encode()


def asked(app: Any, path: str) -> tuple[str, bytes]:
    """What a browser gets, without a server between."""
    said: list[str] = []
    environment = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "x", "SERVER_PORT": "80",
        "wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "wsgi.url_scheme": "http",
    }  # fmt: skip
    body = b"".join(app(environment, lambda status, headers, *_: said.append(status)))
    return said[0], body


def app_of(storage: Storage, cases: Any = seen) -> Any:
    pictures = Pictures(storage, cases)
    return dashboard.wsgi(Pictured(storage.optuna, pictures), artifact_store=pictures)


def trials_of(app: Any) -> list[dict[str, Any]]:
    status, body = asked(app, "/api/studies/1")
    assert status == "200 OK", body
    trials: list[dict[str, Any]] = json.loads(body)["trials"]
    return trials


def test_each_network_is_drawn_and_complete_ones_show_their_cases(storage: Storage) -> None:
    app = app_of(storage)
    trials = trials_of(app)
    names = [[artifact["filename"] for artifact in trial["artifacts"]] for trial in trials]
    assert names == [[NETWORK, CASES], [NETWORK, CASES], [NETWORK], []]
    network, cases = (f"/artifacts/1/{trials[0]['trial_id']}/{a['artifact_id']}" for a in trials[0]["artifacts"])
    status, drawn = asked(app, network)
    assert status == "200 OK"
    assert drawn.startswith(b"<svg")
    assert b"U-Net" in drawn
    assert asked(app, cases) == ("200 OK", b"cases of hippocampus")
    assert "**`U-Net`**" in trials[0]["note"]["body"]
    assert [point["step"] for point in trials[0]["intermediate_values"]] == [1, 2]


def test_objectives_are_named(storage: Storage) -> None:
    status, body = asked(app_of(storage), "/api/studies/1")
    assert (status, json.loads(body)["objective_names"]) == ("200 OK", ["dice"])


def test_without_pictures_of_cases_there_are_networks_alone(storage: Storage) -> None:
    trials = trials_of(app_of(storage, None))
    assert [len(trial["artifacts"]) for trial in trials] == [1, 1, 1, 0]


def test_what_cannot_be_made_and_what_nobody_was_told_of_is_not_there(storage: Storage) -> None:
    pictures = Pictures(storage, seen)
    shown = Pictured(storage.optuna, pictures).get_all_trials(1)
    unreadable = [key.removeprefix("artifacts:") for key in shown[1]._system_attrs if key.startswith("artifacts:")]
    for identity in [*unreadable, "abc"]:
        with pytest.raises(ArtifactNotFound):
            pictures.open_reader(identity)
    with pytest.raises(InputError):
        pictures.write("abc", io.BytesIO())
    pictures.remove("abc")


def test_looking_writes_nothing(storage: Storage, tmp_path: Path) -> None:
    app, statements = app_of(storage), list[str]()
    for engine in (storage.engine, storage.optuna.engine):
        event.listen(engine, "before_cursor_execute", lambda c, cursor, statement, *_: statements.append(statement))
    with sqlite3.connect(tmp_path / "nas.db") as database:
        before = list(database.iterdump())
        for trial in trials_of(app):
            for artifact in trial["artifacts"]:
                asked(app, f"/artifacts/1/{trial['trial_id']}/{artifact['artifact_id']}")
        assert list(database.iterdump()) == before
    assert statements
    assert {statement.split()[0] for statement in statements} <= {"SELECT", "PRAGMA", "BEGIN"}


def test_a_search_that_writes_meanwhile_is_shown_as_it_goes_on(storage: Storage) -> None:
    from nas.study.sql.opening import open_study

    app, study = app_of(storage), open_study(storage, SETTINGS.name)
    for number in range(4, 8):
        # What it has read before holds no lock: the search writes at once.
        complete(study, f"network {number}", number / 10)
        image(study)
        pictures = Pictured(storage.optuna, Pictures(storage))
        assert [trial.number for trial in pictures.get_all_trials(1)] == list(range(number + 1))
    assert asked(app, "/api/studies")[0] == "200 OK"
