"""Artifacts at a URL (`s3://bucket/prefix` and whatever else fsspec knows), with a folder here as a cache."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from nas.errors import InputError, field_named
from nas.study.files.artifacts import LostFileError


@dataclass(frozen=True)
class Remote:
    """The place that a URL names. Credentials come from the environment, as fsspec's drivers expect them."""

    url: str = field(repr=False)

    def cache(self) -> Path:
        """The folder here in which copies are kept."""
        return Path.home() / ".cache" / "nas" / hashlib.sha256(self.url.encode()).hexdigest()[:16]

    def upload(self, path: Path, address: str) -> None:
        """Copy a file there. An object store shows it whole or not at all."""
        self._try("written", lambda: self._files.put_file(str(path), self._at(address)))

    def download(self, address: str, path: Path) -> None:
        """Copy a file here. Raises LostFileError where it is not there."""
        source = self._at(address)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        self._try("read", lambda: self._files.get_file(source, str(part)))
        part.replace(path)

    def remove(self, address: str) -> None:
        """Delete a file there, if it is there."""
        try:
            self._files.rm_file(self._at(address))
        except FileNotFoundError:
            return
        except Exception as error:
            raise InputError(self._refusal("written", error)) from error

    def is_there(self, address: str) -> bool:
        """Whether there is such a file, as things are now."""
        there = False

        def look() -> None:
            nonlocal there
            self._files.invalidate_cache()
            there = self._files.exists(self._at(address))

        self._try("read", look)
        return there

    def addresses(self, folder: str) -> list[str]:
        """The addresses of all files below a folder there, as they are now."""
        root = self._at(folder)
        paths: list[str] = []

        def look() -> None:
            self._files.invalidate_cache()
            paths.extend(self._files.find(root))

        self._try("read", look)
        return sorted(f"{folder}/{path.removeprefix(root).lstrip('/')}" for path in paths)

    @property
    def shown(self) -> str:
        """The URL without user, password and query."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        try:
            import fsspec

            files, prefix = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise InputError(
                f"{field_named('artifacts')} {self.shown}: no driver for it is installed ({error}); "
                "for S3: pip install 'nas[s3]'"
            ) from error
        return files, prefix.rstrip("/")

    @property
    def _files(self) -> Any:
        return self._opened[0]

    def _at(self, address: str) -> str:
        path = PurePosixPath(address)
        if path.is_absolute() or ".." in path.parts:
            raise LostFileError(f"the artifact address {address!r} leaves {self.shown}; the database was tampered with")
        return f"{self._opened[1]}/{address}"

    def _try(self, verb: str, act: Any) -> None:
        try:
            act()
        except InputError:
            raise
        except Exception as error:  # each driver has errors of its own
            kind = LostFileError if isinstance(error, FileNotFoundError) else InputError
            raise kind(self._refusal(verb, error)) from error

    def _refusal(self, verb: str, error: Exception) -> str:
        reason = str(error).replace(self.url, self.shown) or type(error).__name__
        return f"artifacts at {self.shown} cannot be {verb} ({reason}); check the address and the credentials"
