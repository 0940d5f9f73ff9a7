"""Every test runs in a folder of its own session, so that studies and caches never land in the checkout."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("nas", deadline=None)  # how long an example takes is the machine's affair, not a property
settings.load_profile("nas")


@pytest.fixture(autouse=True, scope="session")
def working_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("working"))
    yield
    os.chdir(before)
