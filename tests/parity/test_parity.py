"""Members of `unet_family` are the networks of other libraries: the same output for the same weights."""

import pytest
import torch

from tests.parity.cases import CASES, Case, compare, is_installed

RELATIVE = {torch.float64: 1e-9, torch.float32: 1e-4}
"""Of the largest value: another order of sums is all that may differ."""


@pytest.mark.slow
@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")  # of what the libraries themselves use
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_published_network_gives_the_same_for_the_same_weights(case: Case) -> None:
    if not is_installed(case.library):
        pytest.skip(f"{case.library} is not installed; make parity installs it in an environment of its own")
    assert compare(case).relative < RELATIVE[case.precision]
