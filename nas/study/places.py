"""Where a database's files are kept, remembered in the database, so that no later command has to be told."""

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from nas.study.locking import alone
from nas.study.tables import PlaceRow

_ONLY = 1


def remembered(engine: Engine) -> str | None:
    """The folder or URL; None where files are beside the database."""
    with Session(engine) as session:
        row = session.get(PlaceRow, _ONLY)
        return None if row is None else row.address


def remember(engine: Engine, address: str) -> None:
    """Keep a folder or URL, which must hold no password."""
    with alone(engine), Session(engine) as session, session.begin():
        session.merge(PlaceRow(id=_ONLY, address=address))
