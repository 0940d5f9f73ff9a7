"""Makes, resumes, opens and lists the studies of a storage."""

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from nas.errors import InputError, did_you_mean, field_named
from nas.study.files.artifacts import check_name
from nas.study.settings import StudySettings, differences
from nas.study.sql.rows import settings_of
from nas.study.sql.storage import Storage
from nas.study.sql.study import SqlStudy
from nas.study.sql.tables import StudyRow


def create_or_resume(storage: Storage, settings: StudySettings) -> SqlStudy:
    """A new study, or the one of that name if it was made with the same space, data, objective, recipe and task.

    Raises:
        InputError: the name cannot be used, or the study exists with other settings.
    """
    check_name("study name", settings.name)
    study = find_study(storage, settings.name) or _create(storage, settings)
    different = differences(study.settings, settings)
    if different:
        lines = "\n  ".join(different)
        raise InputError(
            f"the study {settings.name!r} exists with other settings:\n  {lines}\n"
            "Give the settings it was made with to go on with it, or another name as "
            f"{field_named('study')} to begin a new one."
        )
    return study


def open_study(storage: Storage, name: str) -> SqlStudy:
    """The study of that name.

    Raises:
        InputError: there is none; names one that may have been meant.
    """
    study = find_study(storage, name)
    if study is None:
        names = [study.name for study in list_studies(storage)]
        raise InputError(f"there is no study {name!r} in {storage.address}; {did_you_mean(name, names)}")
    return study


def list_studies(storage: Storage) -> list[SqlStudy]:
    """All studies, oldest first."""
    with storage.begin() as session:
        return [_study(storage, row) for row in session.scalars(select(StudyRow).order_by(StudyRow.id))]


def find_study(storage: Storage, name: str) -> SqlStudy | None:
    """The study of that name, or None."""
    with storage.begin() as session:
        row = session.scalar(select(StudyRow).where(StudyRow.name == name))
        return None if row is None else _study(storage, row)


def _create(storage: Storage, settings: StudySettings) -> SqlStudy:
    try:
        with storage.begin() as session:
            row = StudyRow(created=storage.clock.now(), **vars(settings))
            session.add(row)
            session.flush()
            session.refresh(row)  # as it will be read from now on: JSON makes lists of tuples
            return _study(storage, row)
    except IntegrityError:  # another process was a moment faster
        return open_study(storage, settings.name)


def _study(storage: Storage, row: StudyRow) -> SqlStudy:
    return SqlStudy(storage=storage, id=row.id, created=row.created, settings=settings_of(row))
