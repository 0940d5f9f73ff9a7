"""A PostgreSQL server of the tests' own, in a temporary folder."""

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

BINARIES = ("initdb", "pg_ctl", "postgres")


def missing() -> list[str]:
    """The programs that a server needs and this machine lacks."""
    return [name for name in BINARIES if find(name) is None]


def find(name: str) -> str | None:
    """A program of PostgreSQL's; Debian keeps them off the path."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(debian[-1]) if debian else None)


@dataclass(frozen=True)
class Server:
    """A cluster in a folder, on a free port of the loopback; it can be stopped and started."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        """The address of its database."""
        return f"postgresql://nas:secret@127.0.0.1:{self.port}/postgres"

    def start(self, **settings: object) -> None:
        """Start it and wait until it answers."""
        options = {"port": self.port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", **settings}
        given = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        self._run("pg_ctl", "-w", "-D", "data", "-l", "log", "-o", given, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: politely ("smart"), at once ("fast") or as a crash would ("immediate")."""
        self._run("pg_ctl", "-w", "-D", "data", "-m", mode, "stop")

    def make(self) -> None:
        """Make the cluster."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "password").write_text("secret")
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.folder, "nobody")
            shutil.chown(self.folder / "password", "nobody")
        self._run("initdb", "-D", "data", "-U", "nas", "--pwfile", "password", "-A", "scram-sha-256", "--no-sync")

    def _run(self, program: str, *arguments: str) -> None:
        command = [find(program) or program, *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=nobody", "--clear-groups", *command]
        # Not a pipe: the server keeps it open as long as it lives.
        with (self.folder / f"{program}.out").open("wb") as out:
            done = subprocess.run(command, cwd=self.folder, stdout=out, stderr=out, check=False)
        if done.returncode:
            raise RuntimeError((self.folder / f"{program}.out").read_text())


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
