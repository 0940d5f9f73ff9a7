"""A study's journal: lines that are added and never changed."""

from sqlalchemy import func, select

from nas.study.history import Document, Entry
from nas.study.sql.claims import changing
from nas.study.sql.retrying import patiently
from nas.study.sql.storage import Storage
from nas.study.sql.tables import JournalRow


@patiently
def write_down(storage: Storage, study: int, kind: str, content: Document) -> Entry:
    """Add a line."""
    with changing(storage, study) as (session, _):
        highest = session.scalar(select(func.max(JournalRow.number)).where(JournalRow.study_id == study)) or 0
        row = JournalRow(study_id=study, number=highest + 1, kind=kind, moment=storage.clock.now(), content=content)
        session.add(row)
        session.flush()
        return entry_of(row)


@patiently
def journal(storage: Storage, study: int, kind: str) -> tuple[Entry, ...]:
    """The lines of a kind."""
    of_kind = (JournalRow.study_id == study) & (JournalRow.kind == kind)
    with storage.begin() as session:
        return tuple(map(entry_of, session.scalars(select(JournalRow).where(of_kind).order_by(JournalRow.number))))


def entry_of(row: JournalRow) -> Entry:
    """A line, from its row."""
    return Entry(row.number, row.kind, row.moment, row.content)
