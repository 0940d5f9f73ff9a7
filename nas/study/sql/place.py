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


def own(engine: Engine, folder: Path) -> str:
    """The database's part of a folder; a new one where another database, of which this is a copy, writes to it.

    Both say the same, and each would take the other's later files for nobody's. So it is asked anew for each file.
    """
    part = remembered(engine).part
    if not is_anothers(engine, folder / part):
        return part
    with alone(engine), Session(engine) as session, session.begin():
        row = session.get_one(PlaceRow, _ONLY)
        if row.part == part:
            row.part = _new_part(engine)
        return row.part


def is_anothers(engine: Engine, folder: Path) -> bool:
    """Whether a part of a folder is that of another SQLite database, which is there."""
    owner = _owner(folder)
    if engine.dialect.name != "sqlite" or owner is None:
        return False
    return owner.exists() and not owner.samefile(engine.url.database or "")


def mark(engine: Engine, folder: Path) -> None:
    """Say whose the files in a part of a folder are."""
    database = Path(engine.url.database or "")
    if engine.dialect.name != "sqlite" or _owner(folder) == database:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _OWNER).write_text(json.dumps({"database": str(database), "folder": str(folder)}))
    except OSError:  # a folder that may only be read, or is full: nothing is kept there either
        return


def _owner(folder: Path) -> Path | None:
    """The database that a part of a folder belongs to; None where nothing says so, or of another, copied folder."""
    try:
        marks = json.loads((folder / _OWNER).read_text())
        return Path(marks["database"]) if folder.samefile(marks["folder"]) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _new_part(engine: Engine) -> str:
    """A name that no other database has, and that shows whose it is."""
    name = (engine.url.database or "").replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or "nas"
    return f"{re.sub(r'[^A-Za-z0-9_-]+', '-', name)[:40]}-{uuid.uuid4().hex[:8]}"
