import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from nas.study.settings import StudySettings
from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import Storage, open_storage
from nas.study.sql.study import SqlStudy
from tests.study.server import Server, free_port, missing

SETTINGS = StudySettings(
    name="hippocampus",
    space="tiny",
    space_document={"width": [8, 16]},
    space_digest="a" * 64,
    data="Task04_Hippocampus",
    data_fingerprint={"cases": 260},
    data_digest="b" * 64,
    synthetic=False,
    task={"axes": 3, "patch": (32, 32, 32)},
    recipe={"loss": "dice_ce", "optimiser": {"name": "sgd", "rate": 0.01}},
    plan={"batch": 2},
    seed=0,
    versions={"nas": "0.1.0"},
    device="cpu",
)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server: the one that NAS_TEST_POSTGRES names, or one of the tests' own."""
    given = os.environ.get("NAS_TEST_POSTGRES")
    if given is not None:
        yield given
        return
    if missing():
        pytest.skip(f"PostgreSQL is not installed: {', '.join(missing())}")
    # Not pytest's folder: its parents are closed to the user that PostgreSQL runs as.
    folder = Path(tempfile.mkdtemp(prefix="nas-postgres-"))
    server = Server(folder, free_port())
    server.make()
    server.start(fsync="off")
    yield server.url
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
def empty_schema(server: str) -> Iterator[str]:
    """The address of a schema of its own on the PostgreSQL server, gone at the end."""
    url = make_url(server).set(drivername="postgresql+psycopg")
    schema = f"nas_{uuid.uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
        yield url.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each supported kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'runs' / 'nas.db'}"
    return str(request.getfixturevalue("empty_schema"))


@pytest.fixture
def storage(address: str, tmp_path: Path) -> Iterator[Storage]:
    with open_storage(address, artifacts=tmp_path / "artifacts") as storage:
        yield storage


@pytest.fixture
def study(storage: Storage) -> SqlStudy:
    return create_or_resume(storage, SETTINGS)


@pytest.fixture
def settings() -> Callable[..., StudySettings]:
    """Settings that differ from the study's in what is given."""
    return lambda **changes: replace(SETTINGS, **changes)
