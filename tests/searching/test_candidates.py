"""Not every member of a space can be built: those that cannot are passed over, and said so where none can."""

import random
from dataclasses import dataclass, replace
from itertools import islice

import pytest

from nas.architecture import EncoderDecoder, Site
from nas.catalog import load_space
from nas.errors import InputError
from nas.graph import Ops, Task, Tensor
from nas.searching.candidates import graph_of, random_members
from nas.space import Space, one_of


@dataclass(frozen=True)
class Kernel:
    """One convolution of this size."""

    size: int = 3

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        """Write the block."""
        return ops.conv(x, site.width, kernel=self.size, stride=site.stride)


TASK = Task(2, 1, 2, (16, 16), ((2, 2),) * 2)
TINY = load_space("tiny")


def with_kernels(*sizes: int) -> Space[EncoderDecoder]:
    """Convolutions of these sizes, of which even ones do not keep the size of an image; no published network."""
    first, *others = TINY.template.encoder
    first = replace(first, block=Kernel(size=one_of(*sizes)))
    return replace(TINY, name="kernels", template=replace(TINY.template, encoder=(first, *others)), members=())


def test_random_members_can_all_be_built() -> None:
    space, generator = with_kernels(2, 3), random.Random(0)
    assert any(graph_of(space.decide(generator), TASK)[0] is None for _ in range(20)), "the case shows nothing"
    assert all(graph.task == TASK for _, graph in islice(random_members(space, TASK, random.Random(0)), 10))


def test_a_space_of_which_nothing_can_be_built_is_refused() -> None:
    with pytest.raises(InputError, match=r"space 'kernels': of 200 random networks none suits .* take an odd kernel"):
        next(random_members(with_kernels(2, 4), TASK, random.Random(0)))
