"""Brings the project's tables to the version that this nas writes, whatever version a database has.

A new version is a file in `versions/` beside the first; the tests compare what they make with `tables.py`.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from nas.errors import InputError
from nas.study.sql.locking import alone

VERSION_TABLE = "nas_alembic_version"
"""Optuna keeps its own version in `alembic_version`, in the same database."""


def upgrade(engine: Engine) -> None:
    """Create or upgrade the tables, safely while other processes do the same.

    Raises:
        InputError: the database was written by a newer nas.
    """
    scripts = ScriptDirectory.from_config(_config())
    versions = [script.revision for script in scripts.walk_revisions()]
    version = _version(engine)
    if version == versions[0]:
        return
    if version is not None and version not in versions:
        raise InputError(
            f"the database has tables of version {version}, written by a newer nas; this one knows versions up to "
            f"{versions[0]}. Upgrade it: pip install --upgrade nas"
        )
    with alone(engine):
        if engine.dialect.name == "sqlite":
            _write_ahead(engine)
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                # Python's driver begins no transaction before CREATE TABLE, and an upgrade is all or nothing.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            command.upgrade(_config(connection), "head")


def _write_ahead(engine: Engine) -> None:
    """Let readers and a writer work side by side. The file remembers it, so this is done once.

    It must be done alone: unlike any other statement it does not wait for other connections but fails.
    """
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        return context.get_current_revision()


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
