"""One process at a time may create or change tables."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Engine, func, select

BUSY_SECONDS = 60
"""How long a process waits for others that write. With less, 32 writers lose writes."""
ADVISORY_KEY = int.from_bytes(b"nas")


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """Hold a lock that every process preparing this database waits for. It ends with the process, however that ends.

    Optuna makes its tables over connections of its own and would wait forever for a lock inside the database. So on
    SQLite the lock is a second, empty database beside it, and on PostgreSQL an advisory one.
    """
    if engine.dialect.name == "sqlite":
        with closing(
            sqlite3.connect(f"{engine.url.database}.lock", timeout=BUSY_SECONDS, isolation_level=None)
        ) as lock:
            lock.execute("BEGIN EXCLUSIVE")
            yield
    elif engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(select(func.pg_advisory_xact_lock(ADVISORY_KEY)))
            yield
    else:
        yield
