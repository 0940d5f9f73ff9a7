"""Brings the project's tables to the version that this nas writes, whatever version a database has.

A new version is a file in `versions/` beside the first; the tests compare what they make with `tables.py`.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Engine, column, inspect, select, table

FOLDER = Path(__file__).parent
VERSION_TABLE = "nas_alembic_version"
"""Optuna keeps its own version in `alembic_version`, in the same database."""


def upgrade(engine: Engine) -> None:
    """Create or upgrade the tables, safely while other processes do the same.

    Raises:
        InputError: the database was written by a newer nas.
    """
    version, known = _version(engine), versions()
    if version == known[-1]:
        return
    from nas.study.sql.migrations.upgrading import bring_up  # Alembic takes half a second, which few commands need

    bring_up(engine, version, known)


@cache
def versions() -> tuple[str, ...]:
    """All that this nas knows, the first one first: files are called by the version that they make."""
    return tuple(sorted(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py")))


def _version(engine: Engine) -> str | None:
    """The version of a database; None where it has no tables of ours."""
    with engine.connect() as connection:
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        return connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
