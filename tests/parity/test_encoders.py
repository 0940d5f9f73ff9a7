"""Encoders that begin with published weights: the features of the network that they come from, at every stage."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from nas.graph import trace
from nas.network import build, load_encoder, read_weights
from tests.network.features import features, resnet_features, shaken
from tests.parity.cases import CASES, Case, is_installed

NEAR = 1e-5
"""The largest difference of any value of a feature, as a share of the largest one."""
Features = Callable[[nn.Module, Tensor], list[Tensor]]


def _nn_unet_features(network: nn.Module, image: Tensor) -> list[Tensor]:
    with torch.no_grad():
        return list(network.to(image.dtype).eval().encoder(image))  # type: ignore[operator,union-attr]


def _of(case: Case) -> Features | None:
    if case.library in ("torchvision", "timm"):
        return resnet_features
    return _nn_unet_features if case.made.startswith(("ResidualEncoder", "PlainConv")) else None


WITH_ENCODER = [case for case in CASES if _of(case) is not None]


def _save(network: nn.Module, library: str, file: Path) -> None:
    """As it is published there: a checkpoint of nnU-Net, or tensors alone."""
    state = network.state_dict()
    if library == "dynamic-network-architectures":
        torch.save({"network_weights": state, "trainer_name": "nnUNetTrainer", "_best_ema": np.float64(0.9)}, file)
    else:
        save_file({name: tensor.clone() for name, tensor in state.items()}, file)


@pytest.mark.slow
@pytest.mark.parity
@pytest.mark.filterwarnings("ignore")  # of what the libraries themselves use
@pytest.mark.parametrize("case", WITH_ENCODER, ids=lambda case: case.id)
def test_the_same_weights_make_the_same_features(case: Case, tmp_path: Path) -> None:
    if not is_installed(case.library):
        pytest.skip(f"{case.library} is not installed; make parity installs it in an environment of its own")
    torch.manual_seed(0)
    theirs = shaken(case.theirs())
    _save(theirs, case.library, tmp_path / "weights")
    ours = build(trace(case.architecture, case.task))
    loaded = load_encoder(ours, read_weights(tmp_path / "weights").state)
    assert not loaded.changes
    image = torch.randn(1, case.task.channels, *case.task.patch, dtype=torch.float64)
    of_theirs = _of(case)
    assert of_theirs is not None
    pairs = list(zip(features(ours, image), of_theirs(theirs, image), strict=True))
    assert len(pairs) == len(case.architecture.encoder)
    for actual, expected in pairs:
        assert (actual - expected).abs().max() < NEAR * expected.abs().max()
