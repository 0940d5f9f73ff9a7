"""Downloads, from a real server on this machine that breaks off, forgets and lies."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from nas.data import open_dataset
from nas.data.fetching import Source, fetch, source_of
from nas.errors import InputError

from .factories import msd


class Server(ThreadingHTTPServer):
    """Serves one archive, and notes from which byte on it was asked for."""

    archive: bytes = b""
    breaks_after: int | None = None  # bytes of each answer
    knows_ranges = True
    asked: list[int]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        if self.path != "/Task99_Tiny.tar":
            self.send_error(404)
            return
        asked = self.headers.get("Range", "bytes=0-") if self.server.knows_ranges else "bytes=0-"
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        self.server.asked.append(start)
        rest = self.server.archive[start:]
        if start and not rest:
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.server.breaks_after])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(msd(tmp_path / "original/Task99_Tiny"), "Task99_Tiny")
    server = Server(("127.0.0.1", 0), Handler)
    server.archive, server.asked = buffer.getvalue(), []
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def source(server: Server, name: str = "Task99_Tiny.tar") -> Source:
    digest = hashlib.md5(server.archive, usedforsecurity=False).hexdigest()
    return Source(f"http://127.0.0.1:{server.server_port}/{name}", digest)


def test_a_task_is_downloaded_checked_and_unpacked(server: Server, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = fetch("Task99_Tiny", tmp_path / "to", source(server), lambda *done: seen.append(done))
    assert folder == tmp_path / "to/Task99_Tiny"
    assert len(open_dataset(folder).cases) == 3
    assert seen[-1] == (len(server.archive), len(server.archive))
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["Task99_Tiny"]
    assert fetch("Task99_Tiny", tmp_path / "to", source(server)) == folder
    assert server.asked == [0]


def test_a_broken_connection_is_taken_up_again(server: Server, tmp_path: Path) -> None:
    server.breaks_after = 2 * len(server.archive) // 5
    fetch("Task99_Tiny", tmp_path, source(server))
    step = server.breaks_after
    assert server.asked == [0, step, 2 * step]


@pytest.mark.parametrize("part", [0.5, 1.0])
def test_an_interrupted_download_goes_on(part: float, server: Server, tmp_path: Path) -> None:
    there = round(part * len(server.archive))
    (tmp_path / "Task99_Tiny.tar.part").write_bytes(server.archive[:there])
    assert len(open_dataset(fetch("Task99_Tiny", tmp_path, source(server))).cases) == 3
    assert server.asked == [there]


def test_a_server_without_ranges_begins_anew(server: Server, tmp_path: Path) -> None:
    server.knows_ranges = False
    (tmp_path / "Task99_Tiny.tar.part").write_bytes(b"of another time")
    assert len(open_dataset(fetch("Task99_Tiny", tmp_path, source(server))).cases) == 3


def test_a_server_that_gives_nothing_is_given_up_and_asked_again(server: Server, tmp_path: Path) -> None:
    server.breaks_after = 0
    with pytest.raises(InputError, match=r"closed too early.*the same command goes on"):
        fetch("Task99_Tiny", tmp_path, source(server))
    server.breaks_after = None
    assert fetch("Task99_Tiny", tmp_path, source(server)).is_dir()


def test_what_was_not_published_is_deleted(server: Server, tmp_path: Path) -> None:
    published = source(server)
    server.archive = server.archive[:-1] + b"?"
    with pytest.raises(InputError, match=f"has not the MD5 {published.md5}"):
        fetch("Task99_Tiny", tmp_path / "to", published)
    assert list((tmp_path / "to").iterdir()) == []


def archive_of(name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.type, member.size, member.linkname = kind, len(content), "/etc"
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (archive_of("../evil"), "could write elsewhere"),
        (archive_of("Task99_Tiny", b"", tarfile.SYMTYPE), "could write elsewhere"),
        (archive_of("Task98_Other/dataset.json"), "holds no folder Task99_Tiny"),
    ],
)
def test_an_archive_cannot_write_elsewhere(archive: bytes, message: str, server: Server, tmp_path: Path) -> None:
    server.archive = archive
    with pytest.raises(InputError, match=message):
        fetch("Task99_Tiny", tmp_path / "to", source(server))
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["Task99_Tiny.tar.part"]


def test_a_server_that_says_no_or_is_not_there(server: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"answers 404 \(Not Found\)"):
        fetch("Task99_Tiny", tmp_path, source(server, "nothing.tar"))
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1/x: cannot be downloaded \(.*refused"):
        fetch("Task99_Tiny", tmp_path, Source("http://127.0.0.1:1/x", ""))


def test_the_tasks_are_those_that_monai_knows() -> None:
    known = source_of("Task04_Hippocampus")
    assert known.url.endswith("/Task04_Hippocampus.tar")
    assert len(known.md5) == 32
    with pytest.raises(InputError, match=r"Task04_Hipocampus: no task .*; did you mean 'Task04_Hippocampus'"):
        source_of("Task04_Hipocampus")
    with pytest.raises(InputError, match="expected one of Task01_BrainTumour, "):
        source_of("xyz")
