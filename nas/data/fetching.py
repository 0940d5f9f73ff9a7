"""Public data sets from where they are kept: the Medical Segmentation Decathlon, at the addresses that MONAI knows."""

import logging
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from nas.data.cache import FULL
from nas.errors import InputError, did_you_mean

TRIES = 5
"""Times that a broken connection is taken up again without a byte gained."""
TIMEOUT = 30  # seconds without an answer
_CHUNK = 1 << 20
_RANGE_NOT_SATISFIABLE = 416

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Source:
    """An archive (.tar) that holds a folder of the data set's name, and the MD5 that its publisher gives for it."""

    url: str
    md5: str


def source_of(task: str) -> Source:
    """Where MONAI says that a Decathlon task is kept.

    Raises:
        InputError: there is no such task.
    """
    from monai.apps.datasets import DecathlonDataset

    known: dict[str, str] = DecathlonDataset.resource
    if task not in known:
        raise InputError(f"{task}: no task of the Medical Segmentation Decathlon; {did_you_mean(task, known)}")
    return Source(known[task], DecathlonDataset.md5[task])


def fetch(task: str, to: Path, source: Source, progress: Progress | None = None) -> Path:
    """Download, check and unpack a data set into the folder `to`; its own folder, which is whole or not there.

    A download that was interrupted goes on. `progress` is told (bytes there, bytes in all).

    Raises:
        InputError: the server cannot be reached, what came is not what was published, or the disk is full.
    """
    target = to / task
    if target.exists():
        return target
    archive = to / f"{task}.tar.part"
    try:
        to.mkdir(parents=True, exist_ok=True)
        _download(source.url, archive, progress or (lambda _done, _total: None))
        _expect_published(archive, source)
        _unpack(archive, target)
    except OSError as error:
        if error.errno in FULL:
            raise InputError(f"{to}: no space left; make room, and the same command goes on") from error
        raise InputError(f"{to}: cannot be written ({error.strerror}); give another folder with --to") from error
    archive.unlink()
    return target


def _download(url: str, archive: Path, progress: Progress) -> None:
    tries = 0
    while True:
        before = archive.stat().st_size if archive.exists() else 0
        try:
            if _continue(url, archive, before, progress):
                return
            reason = "the connection was closed too early"
        except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
            reason = str(getattr(error, "reason", error))
            if isinstance(error, urllib.error.HTTPError):
                raise InputError(f"{url}: the server answers {error.code} ({error.reason}); try again later") from error
        gained = archive.exists() and archive.stat().st_size > before
        tries = 0 if gained else tries + 1
        if tries >= TRIES:
            raise InputError(f"{url}: cannot be downloaded ({reason}); look at the network, the same command goes on")


def _continue(url: str, archive: Path, start: int, progress: Progress) -> bool:
    """Ask for what is missing after `start` bytes, and add it; whether all is there."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        answer = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == _RANGE_NOT_SATISFIABLE:  # nothing is missing; the checksum tells whether it is right
            error.close()
            return True
        raise
    with answer, archive.open("ab" if answer.status == 206 else "wb") as file:  # a plain 200 begins anew
        done = file.tell()
        total = done + int(answer.headers.get("Content-Length") or 0)
        while chunk := answer.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            progress(done, max(total, done))
    return done >= total


def _expect_published(archive: Path, source: Source) -> None:
    from monai.apps.utils import check_hash

    logging.getLogger("monai.apps").setLevel(logging.WARNING)  # it tells its steps on standard output
    if not check_hash(archive, source.md5, "md5"):
        archive.unlink()
        raise InputError(
            f"{source.url}: what came has not the MD5 {source.md5} of what was published, and is deleted; try again"
        )


def _unpack(archive: Path, target: Path) -> None:
    """Unpack aside and rename, so that an interrupted unpacking is not taken for a data set."""
    from monai.apps.utils import extractall

    aside = target.with_name(f".{target.name}.unpacking")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir()
        try:
            extractall(archive, aside, file_type="tar", has_base=False)
        except ValueError as error:  # a path that climbs out, or a link
            raise InputError(f"{archive}: is not unpacked, because it could write elsewhere ({error})") from error
        if not (aside / target.name).is_dir():
            raise InputError(f"{archive}: holds no folder {target.name}; expected the archive of that task")
        (aside / target.name).rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
