"""Members of `unet_family` are the networks of other libraries: the same output for the same weights."""

import pytest

from tests.parity.cases import CASES, Case, compare, is_installed

RELATIVE = 1e-9
"""Of the largest value; in double precision, where another order of sums is all that may differ."""


@pytest.mark.slow
@pytest.mark.parity
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_published_network_gives_the_same_for_the_same_weights(case: Case) -> None:
    if not is_installed(case.library):
        pytest.skip(f"{case.library} is not installed; make parity installs it in an environment of its own")
    assert compare(case).relative < RELATIVE
