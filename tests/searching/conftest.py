"""Tiny pictures to search on: painting the built-in brains anew for each search takes seconds."""

from pathlib import Path

import pytest

from ..data.factories import pairs


@pytest.fixture(autouse=True, scope="session")
def pictures(working_folder: None) -> Path:
    """The folder `pictures` in the working folder of the tests."""
    return pairs(Path("pictures"))
