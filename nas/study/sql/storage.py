"""Opens the database and the artifact folder that studies live in, and keeps its errors readable."""

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import URL, Engine, create_engine, make_url, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from nas.clock import SYSTEM, Clock
from nas.errors import InputError
from nas.study.files import artifacts as artifact_files
from nas.study.files.artifacts import StoredFile
from nas.study.files.remote import Remote
from nas.study.sql import place
from nas.study.sql.errors import describe, explain, refusal
from nas.study.sql.locking import BUSY_SECONDS, alone
from nas.study.sql.migrations import upgrade
from nas.study.sql.tables import StudyRow

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

CONNECT_SECONDS = 10
"""How long to wait for a database server that does not answer."""
CACHE_BYTES = 5 * 2**30
"""What copies of files kept elsewhere may take here; those not used for longest go first."""


class Connection(sqlite3.Connection):
    """A connection to SQLite that survives a crash, keeps references whole and waits no longer than needed.

    Both SQLAlchemy and Optuna make theirs through this class, so that both follow the same rules.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        try:
            self.execute("PRAGMA foreign_keys=ON")
            self.execute("PRAGMA synchronous=NORMAL")  # no crash corrupts write-ahead logging, and trials cost half
        except sqlite3.Error:  # it is no database
            self.close()
            raise


@dataclass(frozen=True)
class Storage:
    """An open database and the folder of the files that belong to it. Made by `open_storage`.

    Used as a context manager, it closes its connections at the end.
    """

    engine: Engine = field(repr=False)
    artifacts: Path
    remote: Remote | None = field(default=None, repr=False)
    """Where the files are kept, if not in `artifacts`, which is a cache then."""
    clock: Clock = field(default=SYSTEM, repr=False)

    @property
    def part(self) -> str:
        """How addresses of this database's new files begin; those of other databases in the folder begin otherwise."""
        if self.remote is not None:
            return place.remembered(self.engine).part
        return place.own(self.engine, self.artifacts)

    @property
    def address(self) -> str:
        """Where this is, in a form that can be shown: without a password."""
        return describe(self.engine.url)

    @property
    def secret_address(self) -> str:
        """The address with its password, for a process that this one starts. Never to be shown or logged."""
        return self.engine.url.render_as_string(hide_password=False)

    @property
    def artifacts_address(self) -> str:
        """Where the files are, for a process that this one starts."""
        return str(self.artifacts) if self.remote is None else self.remote.url

    @property
    def shown_artifacts(self) -> str:
        """Where the files are, in a form that can be shown."""
        return str(self.artifacts) if self.remote is None else self.remote.shown

    def bring_in(self, source: Path, study: str, run: int, kind: str) -> StoredFile:
        """Move a file to the others; see `nas.study.files.artifacts.bring_in`."""
        folder = self.folder_of(study)
        if self.remote is None:
            place.mark(self.engine, self.artifacts / _part_of(folder))
        stored = artifact_files.bring_in(source, self.artifacts, folder, run, kind)
        if self.remote is not None:
            self.remote.upload(self.artifacts / stored.address, stored.address)
            artifact_files.trim(self.artifacts, CACHE_BYTES)
        return stored

    def locate(self, stored: StoredFile, *, afresh: bool = False) -> Path:
        """The path of a stored file here, checked; see `nas.study.files.artifacts.locate`.

        Args:
            stored: which one.
            afresh: whether to fetch it again where files are kept elsewhere, a copy here being no proof of that one.
        """
        if self.remote is None:
            return artifact_files.locate(self.artifacts, stored)
        path = artifact_files.path_of(self.artifacts, stored)
        if afresh or not artifact_files.is_whole(path, stored):
            self.remote.download(stored.address, path)
            artifact_files.locate(self.artifacts, stored, f"{self.remote.shown}/{stored.address}")
            artifact_files.trim(self.artifacts, CACHE_BYTES)
        path.touch()  # used just now: others are trimmed before it
        return path

    def folder_of(self, study: str) -> str:
        """The folder of a study's new files, as the beginning of their addresses."""
        return f"{self.part}/{study}"

    def addresses(self, study: str) -> list[str]:
        """The addresses of all files that there are in a study's folder, whether the database names them or not."""
        folder = self.folder_of(study)
        return (
            artifact_files.addresses(self.artifacts, folder) if self.remote is None else self.remote.addresses(folder)
        )

    def is_there(self, address: str) -> bool:
        """Whether there is a file of that address, whatever is in it."""
        return (self.artifacts / address).is_file() if self.remote is None else self.remote.is_there(address)

    def remove(self, address: str) -> None:
        """Delete a stored file, unless it is in the part of the database that this one is a copy of: both name it."""
        if self.remote is None and place.is_anothers(self.engine, self.artifacts / _part_of(address)):
            return
        artifact_files.remove(self.artifacts, address)
        if self.remote is not None:
            self.remote.remove(address)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A transaction: all of what is written in it, or nothing.

        Raises:
            InputError: the database is full, locked, damaged, read-only or out of reach.
        """
        with self.guarded(), Session(self.engine) as session, session.begin():
            yield session

    @contextmanager
    def alone(self, study: int) -> Iterator[Session]:
        """A transaction that no other one of this kind on the study runs beside: what it counts stays true.

        Raises:
            InputError: as for `begin`.
        """
        with self.begin() as session:
            if self.engine.dialect.name == "sqlite":
                session.connection().exec_driver_sql("BEGIN IMMEDIATE")
            else:
                # Not the stronger lock: rows that point at the study may be added meanwhile.
                session.execute(select(StudyRow.id).where(StudyRow.id == study).with_for_update(key_share=True))
            yield session

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn what a user can mend about the database into `InputError`. Wrap calls of Optuna in this."""
        try:
            yield
        except Exception as error:
            explanation = explain(error, self.engine.url)
            if explanation is None:
                raise
            raise explanation from error

    @cached_property
    def optuna(self) -> "RDBStorage":
        """Optuna's storage in the same database, made on first use: reading a study needs no Optuna."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        # Optuna takes its address for a template.
        address = self.engine.url.render_as_string(hide_password=False).replace("{", "{{").replace("}", "}}")
        options = _engine_options(self.engine.url)
        with self.guarded(), alone(self.engine):
            backend = optuna.storages.RDBStorage(address, options, skip_compatibility_check=True)
            version, expected = backend.get_current_version(), backend.get_head_version()
        if version != expected:
            backend.engine.dispose()
            raise InputError(
                f"{self.address} holds Optuna's tables of version {version}, but Optuna {optuna.__version__} expects "
                f"{expected}; use the Optuna that made them, or upgrade them with: optuna storage upgrade"
            )
        return backend

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        if "optuna" in vars(self):
            self.optuna.remove_session()
            self.optuna.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_storage(
    address: str | Path, *, artifacts: Path | str | None = None, create: bool = True, clock: Clock = SYSTEM
) -> Storage:
    """Open the database that studies are kept in, creating or upgrading its tables.

    Args:
        address: the path of an SQLite file, or an SQLAlchemy URL (`postgresql://user@host/database`).
        artifacts: the folder for files, or a URL (`s3://bucket/prefix`). Left out, it is what the database remembers;
            a new one has them in `artifacts` beside the SQLite file or, with a server, in the working folder.
        create: whether to make an SQLite file that is not there, and to have the database remember where files are.
        clock: what records are dated by.

    Raises:
        InputError: the address cannot be read, or what it names cannot be opened or written.
    """
    url = _read(address)
    if url.get_backend_name() == "sqlite":
        _make_room(Path(url.database or ""), create)
    try:
        engine = create_engine(url, **_engine_options(url))
    except (ImportError, ArgumentError) as error:
        raise InputError(
            f"{describe(url)} needs a database driver that is not installed ({error}); {_driver(url)}"
        ) from error
    try:
        upgrade(engine)
        remembered = place.remembered(engine)
        where = str(artifacts or remembered.address or _beside(url))
        remote = Remote(where) if "://" in where else None
        folder = Path(where).absolute() if remote is None else remote.cache()
        storage = Storage(engine, folder, remote, clock)
        to_be_known = artifacts or url.get_backend_name() != "sqlite"
        if create and to_be_known and storage.shown_artifacts != remembered.address:
            place.remember(engine, storage.shown_artifacts)
    except BaseException as error:
        engine.dispose()
        if isinstance(error, SQLAlchemyError | sqlite3.Error):
            raise refusal(error, url) from error
        raise
    return storage


def _part_of(address: str) -> str:
    return address.partition("/")[0]


def _driver(url: URL) -> str:
    """What to do where a database's driver is missing."""
    if url.get_backend_name() == "postgresql":
        return "install it: pip install 'nas[postgres]'"
    if url.get_backend_name() in ("sqlite", "mysql", "mariadb", "oracle", "mssql"):
        return "studies are kept in SQLite or PostgreSQL; give a file's path or postgresql://user@host/database"
    return "give a file's path or postgresql://user@host/database"


def _beside(url: URL) -> Path:
    """Where the files of a new database go."""
    return Path(url.database or "").parent / "artifacts" if url.get_backend_name() == "sqlite" else Path("artifacts")


def _read(address: str | Path) -> URL:
    """The address as a URL, with an absolute path where it is a file, so that changing folder later does no harm."""
    if isinstance(address, Path) or "://" not in address:
        return _file(str(address))
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # The address is not shown: it may hold a password.
        raise InputError(
            "the storage address is not a URL; expected a file's path or, for example, "
            "postgresql://user:password@host:5432/database"
        ) from None
    if url.get_backend_name() == "sqlite":
        return _file(url.database or "")
    if address.partition("?")[0].count("@") > 1:  # what follows the first is read as the host, which is shown
        raise InputError(
            "the storage address has more than one @; write those in a user or password as %40, and / as %2F"
        )
    if url.drivername in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "postgresql":
        raise InputError(f"the storage address begins with {url.drivername}://; {_driver(url)}")
    return url


def _file(path: str) -> URL:
    if not path or path == ":memory:" or path.startswith("file:"):
        raise InputError("a study is kept in a file, not in memory; expected a path such as runs/nas.db")
    return URL.create("sqlite", database=os.path.abspath(os.path.expanduser(path)))


def _make_room(path: Path, create: bool) -> None:
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a file in it, such as {path / 'nas.db'}")
    if path.exists():
        return
    if not create:
        raise InputError(f"{path} does not exist; give the database that a search has written")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"the folder {path.parent} cannot be made: {error.strerror}; give a file in a folder that you may write to"
        ) from error


def _engine_options(url: URL) -> dict[str, Any]:
    """How to make an engine, ours and Optuna's alike."""
    # PostgreSQL refuses NaN in JSON; SQLite would keep a document that nothing else can read.
    options: dict[str, Any] = {"json_serializer": partial(json.dumps, allow_nan=False)}
    if url.get_backend_name() == "sqlite":
        return options | {"connect_args": {"timeout": BUSY_SECONDS, "factory": Connection}}
    options["pool_pre_ping"] = True
    if url.get_driver_name() in {"psycopg", "psycopg2"} and "connect_timeout" not in url.query:
        options["connect_args"] = {"connect_timeout": CONNECT_SECONDS}
    return options
