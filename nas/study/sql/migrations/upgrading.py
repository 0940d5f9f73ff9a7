"""The upgrade itself, by Alembic."""

from collections.abc import Sequence

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

from nas.errors import InputError
from nas.study.sql.locking import alone
from nas.study.sql.migrations import FOLDER


def bring_up(engine: Engine, version: str | None, known: Sequence[str]) -> None:
    """Create or upgrade the tables of a database to the last of the known versions.

    Raises:
        InputError: the database was written by a newer nas.
    """
    if version is not None and version not in known:
        raise InputError(
            f"the database has tables of version {version}, written by a newer nas; this one knows versions up to "
            f"{known[-1]}. Upgrade it: pip install --upgrade nas"
        )
    with alone(engine):
        if engine.dialect.name == "sqlite":
            _write_ahead(engine)
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                # Python's driver begins no transaction before CREATE TABLE, and an upgrade is all or nothing.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            command.upgrade(config(connection), "head")


def config(connection: Connection | None = None) -> Config:
    """Alembic's settings, for a connection."""
    settings = Config(attributes={"connection": connection})
    settings.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    return settings


def _write_ahead(engine: Engine) -> None:
    """Let readers and a writer work side by side. The file remembers it, so this is done once.

    It must be done alone: unlike any other statement it does not wait for other connections but fails.
    """
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")
