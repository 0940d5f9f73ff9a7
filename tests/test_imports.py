"""Imports follow the arrow of ARCHITECTURE.md, and what only describes starts without anything heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = [
    {"errors"},
    {"space"},
    {"graph"},
    {"architecture"},
    {"catalog"},
    {"network", "data"},
    {"training"},
    {"model", "confirming"},
    {"study"},
    {"export"},
    {"searching"},
    {"cli"},
]
"""Each package may import those in lines above its own."""
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
FILES = [file for file in sorted((ROOT / "nas").rglob("*.py")) if file.parent != ROOT / "nas" or file.stem in RANK]


def package_of(file: Path) -> str:
    return file.relative_to(ROOT / "nas").parts[0].removesuffix(".py")


def imported_by(file: Path) -> set[str]:
    """The packages of nas that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("nas.")}


def test_every_package_has_its_place() -> None:
    assert {package_of(file) for file in FILES} == set(RANK)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_never_run_back(file: Path) -> None:
    mine = package_of(file)
    back = {name for name in imported_by(file) if name != mine and RANK[name] >= RANK[mine]}
    assert not back


@pytest.mark.parametrize("file", sorted((ROOT / "search_spaces").glob("*.py")), ids=lambda file: file.stem)
def test_a_space_needs_the_language_alone(file: Path) -> None:
    assert imported_by(file) <= {"space", "graph", "architecture"}


@pytest.mark.parametrize("command", ["--help", "spaces list", "spaces show tiny", "spaces cost tiny", "search --help"])
def test_what_only_describes_starts_without_torch(command: str) -> None:
    program = (
        "import sys; sys.argv = ['nas', *sys.argv[1:]]; from nas.cli import main\n"
        "try: main()\n"
        "finally: print('heavy:', *{'torch', 'monai', 'optuna', 'sqlalchemy', 'scipy'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program, *command.split()], capture_output=True, text=True, check=True)
    assert run.stdout.rstrip().endswith("heavy:")
