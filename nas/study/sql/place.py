"""Where a database's files are, remembered in the database, so that no later command has to be told."""

import json
import re
import uuid
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from nas.study.sql.locking import alone
from nas.study.sql.tables import PlaceRow

_ONLY = 1
_OWNER = ".database.json"
"""The file in a database's part of a folder that says which database it belongs to."""


@dataclass(frozen=True)
class Place:
    """The folder or URL (None: beside the database), and how the addresses of this database's files begin there."""

    address: str | None
    part: str


def remembered(engine: Engine) -> Place:
    """Where files are; a database that has no part of a folder yet is given one."""
    with Session(engine) as session:
        row = session.get(PlaceRow, _ONLY)
        if row is not None:
            return Place(row.address, row.part)
    with alone(engine), Session(engine) as session, session.begin():
        row = session.get(PlaceRow, _ONLY)
        if row is None:
            row = PlaceRow(id=_ONLY, address=None, part=_new_part(engine))
            session.add(row)
        return Place(row.address, row.part)


def remember(engine: Engine, address: str) -> None:
    """Keep a folder or URL, which must hold no password."""
    with alone(engine), Session(engine) as session, session.begin():
        session.get_one(PlaceRow, _ONLY).address = address


def own(engine: Engine, part: str, folder: Path) -> str:
    """The database's part of a folder, a new one where the part belongs to the database that this one was copied from.

    A file that was copied says it has the same part; each would take the other's later files for nobody's.
    """
    if engine.dialect.name != "sqlite" or not (folder / part).is_dir():
        return part
    owner, database = _owner(folder / part), Path(engine.url.database or "")
    if owner is None or not owner.exists() or owner.samefile(database):
        _mark(folder / part, database)
        return part
    with alone(engine), Session(engine) as session, session.begin():
        row = session.get_one(PlaceRow, _ONLY)
        if row.part == part:
            row.part = _new_part(engine)
        return row.part


def mark(engine: Engine, part: str, folder: Path) -> None:
    """Say whose the files in a part of a folder are."""
    if engine.dialect.name == "sqlite":
        _mark(folder / part, Path(engine.url.database or ""))


def _mark(folder: Path, database: Path) -> None:
    if _owner(folder) != database:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / _OWNER).write_text(json.dumps({"database": str(database)}))
        except OSError:  # a folder that may only be read, or is full: nothing is kept there either
            return


def _owner(folder: Path) -> Path | None:
    try:
        return Path(json.loads((folder / _OWNER).read_text())["database"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _new_part(engine: Engine) -> str:
    """A name that no other database has, and that shows whose it is."""
    name = (engine.url.database or "").replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or "nas"
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name)[:40]}-{uuid.uuid4().hex[:8]}"
