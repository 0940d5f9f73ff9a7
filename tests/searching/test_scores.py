"""Free scores: finite, the same for the same network, and what they are said to see."""

import math

import pytest
import torch

from nas.architecture import EncoderDecoder, Mirrored, Stage, Strided, Style, UpStage
from nas.graph import Task, trace
from nas.network import Network, build
from nas.searching.scores import Batch, Loss, score_names, score_of
from nas.training.losses import supervised
from nas.training.losses.dice_cross_entropy import DiceCrossEntropy

TASK = Task(2, 1, 3, (16, 16), ((2, 2),))
LOSS: Loss = supervised(DiceCrossEntropy(), 0.5)


def network(width: int = 4, norm: str = "batch") -> Network:
    architecture = EncoderDecoder(
        encoder=(Stage(), Stage(down=Strided())), decoder=Mirrored((UpStage(),), width), style=Style(norm), width=width
    )
    return build(trace(architecture, TASK), seed=0)


def batches(same: bool = False) -> list[Batch]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(3, 2, 1, 16, 16, generator=generator)
    if same:
        images = images[:1, :1].expand_as(images)
    return [(image.clone(), torch.randint(0, 3, (2, 1, 16, 16), generator=generator)) for image in images]


@pytest.mark.parametrize("norm", ["none", "batch", "instance"])
@pytest.mark.parametrize("name", score_names())
def test_a_score_is_a_number_and_the_same_again(name: str, norm: str) -> None:
    of = score_of(name)
    scores = [of.score(network(norm=norm), batches(), LOSS) for _ in range(2)]
    assert math.isfinite(scores[0])
    assert scores[0] == pytest.approx(scores[1])
    assert of.SUMMARY


@pytest.mark.parametrize("name", ["naswot", "jacobian"])
def test_images_that_are_all_one_tell_nothing_apart(name: str) -> None:
    different, equal = (
        score_of(name).score(network(norm="instance"), images, LOSS) for images in (batches(), batches(True))
    )
    assert different > equal


@pytest.mark.parametrize("name", ["synflow", "zico"])
def test_wider_networks_let_more_through(name: str) -> None:
    assert score_of(name).score(network(8), batches(), LOSS) > score_of(name).score(network(4), batches(), LOSS)


def test_the_gradient_is_as_long_as_its_parts() -> None:
    of, (images, labels) = network(), batches()[0]
    LOSS(of.train()(images), labels).backward()  # type: ignore[no-untyped-call]
    length = torch.cat([parameter.grad.flatten() for parameter in of.parameters() if parameter.grad is not None]).norm()
    assert score_of("gradient_norm").score(network(), batches(), LOSS) == pytest.approx(float(length), rel=1e-4)
