"""Tiny pictures to search on: painting the built-in brains anew for each search takes seconds."""

import shutil
from pathlib import Path

import pytest

import nas
from nas.searching import SearchSettings
from nas.study.sql.study import SqlStudy

from ..data.factories import pairs


@pytest.fixture(autouse=True, scope="session")
def pictures(working_folder: None) -> Path:
    """The folder `pictures` in the working folder of the tests."""
    return pairs(Path("pictures"))


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data and a study of them."""
    folder = tmp_path_factory.mktemp("searched")
    data = pairs(folder / "pictures", cases=[f"case{number:02d}" for number in range(10)])
    settings = {"space": "tiny", "trials": 2, "steps": 1, "budget": "20s", "patch": (16, 16), "holdout": 0.2}
    nas.search(**settings, data=str(data), storage=str(folder / "nas.db"), study="small").study.storage.close()
    return folder


@pytest.fixture
def folder(searched: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(searched, tmp_path / "copy"))


@pytest.fixture
def found(folder: Path) -> SqlStudy:
    return nas.open_study("small", str(folder / "nas.db")).study


@pytest.fixture
def data(folder: Path) -> Path:
    return folder / "pictures"


@pytest.fixture
def machine(data: Path) -> SearchSettings:
    return SearchSettings(space="tiny", data=str(data))
