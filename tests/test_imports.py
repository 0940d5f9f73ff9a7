"""Imports follow the arrow of ARCHITECTURE.md, and what only describes starts without anything heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "clock": set(),
    "wording": set(),
    "space": {"errors"},
    "graph": {"errors", "space"},
    "architecture": {"errors", "space", "graph"},
    "catalog": {"errors", "space", "graph", "architecture"},
    "gallery": {"errors", "space", "graph", "architecture", "catalog"},
    "network": {"errors", "graph"},
    "data": {"errors"},
    "training": {"errors", "space", "catalog", "graph", "network", "data"},
    "study": {"errors", "clock"},
    "model": {"errors", "graph", "network", "data", "training"},
    "confirming": {"errors"},
    "export": {"errors", "graph", "network", "data", "training", "model"},
    "report": {"errors", "wording", "graph", "architecture", "catalog", "data", "study", "confirming", "export"},
    "searching": {
        "confirming",
        "errors",
        "clock",
        "space",
        "architecture",
        "catalog",
        "graph",
        "network",
        "data",
        "training",
        "study",
        "model",
        "export",
    },
    "cli": {
        "errors",
        "wording",
        "space",
        "architecture",
        "catalog",
        "graph",
        "network",
        "data",
        "study",
        "model",
        "confirming",
        "export",
        "gallery",
        "searching",
        "report",
    },
}
"""What each package may import beside itself. An arrow that is missing here is one that somebody must want first."""
ROOMS: dict[str, set[str]] = {
    "study/history.py": set(),
    "study/objective.py": {"history"},
    "study/settings.py": {"history", "objective"},
    "study/protocol.py": {"history", "settings"},
    "study/memory.py": {"history", "objective", "settings", "protocol"},
    "searching/strategies": {"strategies", "candidates", "schedule", "distributions", "references"},
    "searching/setup": {"setup", "pretrained", "candidates", "references", "schedule", "settings", "events"},
    "searching/evaluators": {"evaluators", "setup", "pretrained", "candidates", "schedule", "interruption"},
    "searching/evaluators/__init__.py": set(),
    "searching/evaluators/tabular.py": {"evaluators"},
    "searching/gate.py": {"strategies", "evaluators"},
    "searching/beginnings.py": {"evaluators"},
    "searching/loop.py": {"strategies", "evaluators", "gate", "beginnings", "failures", "events", "schedule"},
}
"""What the heart of study and searching may import of its own package: values, promises and pure functions alone."""
FILES = [file for file in sorted((ROOT / "nas").rglob("*.py")) if file.parent != ROOT / "nas" or file.stem in ALLOWED]


def package_of(file: Path) -> str:
    return file.relative_to(ROOT / "nas").parts[0].removesuffix(".py")


def modules_imported_by(file: Path) -> set[str]:
    """The modules of nas that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.startswith("nas.")}


def imported_by(file: Path) -> set[str]:
    """The packages of nas that a file imports."""
    return {name.split(".")[1] for name in modules_imported_by(file)} - {"__version__"}


def test_every_package_has_its_place() -> None:
    assert {package_of(file) for file in FILES} == set(ALLOWED)


def in_circles(arrows: dict[str, set[str]]) -> list[str]:
    """Those that reach themselves."""
    reached = {name: names & set(arrows) for name, names in arrows.items()}
    for _ in arrows:
        for name, names in reached.items():
            reached[name] = names.union(*(reached[other] for other in names)) if names else names
    return [name for name, names in reached.items() if name in names]


def test_the_arrows_that_are_allowed_form_no_circle() -> None:
    assert not in_circles(ALLOWED)


@pytest.mark.parametrize("package", sorted({package_of(file) for file in FILES}))
def test_the_rooms_of_a_package_form_no_circle(package: str) -> None:
    place, arrows = ROOT / "nas" / package, dict[str, set[str]]()
    for file in place.rglob("*.py"):
        room = file.relative_to(place).parts[0].removesuffix(".py")
        names = {name.split(".")[2] for name in modules_imported_by(file) if name.startswith(f"nas.{package}.")}
        arrows[room] = arrows.get(room, set()) | names - {room}
    arrows.pop("__init__", None)  # a package's face hands on what is inside
    assert not in_circles(arrows)


def test_files_form_no_circle() -> None:
    def name_of(file: Path) -> str:
        return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")

    arrows = {name_of(file): modules_imported_by(file) - {name_of(file)} for file in (ROOT / "nas").rglob("*.py")}
    faces = {name for name in arrows if (ROOT / name.replace(".", "/")).is_dir()}  # which hand on what is inside
    assert not in_circles({name: names for name, names in arrows.items() if name not in faces})


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_a_file_imports_what_its_package_may(file: Path) -> None:
    package = package_of(file)
    assert imported_by(file) - {package} <= ALLOWED[package]


@pytest.mark.parametrize("room", ROOMS)
def test_the_heart_of_a_package_imports_values_and_promises_alone(room: str) -> None:
    place = ROOT / "nas" / room
    package = room.split("/")[0]
    for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
        own = {name.split(".")[2] for name in modules_imported_by(file) if name.startswith(f"nas.{package}.")}
        assert own <= ROOMS[room], file


@pytest.mark.parametrize("file", sorted((ROOT / "search_spaces").glob("*.py")), ids=lambda file: file.stem)
def test_a_space_needs_the_language_alone(file: Path) -> None:
    assert imported_by(file) <= {"space", "graph", "architecture"}


LIGHT = ("--help", "spaces list", "spaces show tiny", "spaces cost tiny", "search --help")


def test_what_only_describes_starts_without_torch() -> None:
    program = f"""
import sys
from nas.cli import main
for command in {LIGHT}:
    sys.argv = ["nas", *command.split()]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, command
    heavy = {{"torch", "monai", "optuna", "sqlalchemy", "scipy"}} & set(sys.modules)
    assert not heavy, (command, heavy)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
