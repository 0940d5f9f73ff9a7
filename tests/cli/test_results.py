"""What is printed at the end of a search: where everything is and what to type next."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from nas.cli.results import where_everything_is
from nas.study.files.remote import Remote
from nas.study.sql.storage import Storage
from nas.study.sql.study import SqlStudy
from tests.study.conftest import SETTINGS

SERVER = "postgresql+psycopg://me{password}@host:5432/nas{query}"


@pytest.mark.parametrize(
    ("given", "typed"),
    [
        ({"password": "", "query": ""}, SERVER.format(password="", query="")),
        ({"password": ":s3cret", "query": ""}, SERVER.format(password="", query="")),
        (
            {"password": ":s3cret", "query": "?sslmode=require&sslpassword=s3cret"},
            SERVER.format(password="", query="?sslmode=require"),
        ),
    ],
)
def test_what_is_to_be_typed_works_and_shows_no_password(
    capsys: pytest.CaptureFixture[str], given: dict[str, str], typed: str
) -> None:
    storage = Storage(create_engine(SERVER.format(**given)), Path("artifacts"))
    where_everything_is(SqlStudy(storage=storage, id=1, created=datetime.now(UTC), settings=SETTINGS))
    printed = capsys.readouterr().out
    assert "s3cret" not in printed
    for command in ("nas export hippocampus --to best --storage ", "nas dashboard hippocampus --storage "):
        line = next(line for line in printed.splitlines() if command in line)
        assert line.partition(command)[2].split()[0].strip("'") == typed
    assert ("PGPASSWORD" in printed) == bool(given["password"])


def test_files_are_said_to_be_where_they_are_kept_and_not_where_copies_are(capsys: pytest.CaptureFixture[str]) -> None:
    remote = Remote("s3://key:s3cret@bucket/prefix")
    storage = Storage(create_engine("sqlite:////tmp/nas.db"), remote.cache(), remote=remote)
    where_everything_is(SqlStudy(storage=storage, id=1, created=datetime.now(UTC), settings=SETTINGS))
    assert "artifacts  s3://bucket/prefix\n" in capsys.readouterr().out
