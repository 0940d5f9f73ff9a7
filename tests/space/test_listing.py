"""All members of a small space, each once."""

from dataclasses import dataclass

import pytest

from nas.catalog import load_space
from nas.errors import InputError
from nas.space import Space, integer, one_of, real, repeated, settled, shared
from nas.space.listing import listed


@dataclass(frozen=True)
class Layer:
    size: int = one_of(1, 2)
    bias: bool = settled(False, True)


@dataclass(frozen=True)
class Net:
    layers: tuple[Layer, ...] = (*repeated(Layer(), integer(0, 2)),)
    other: Layer | None = one_of(None, Layer(shared("size", one_of(3, 4, 5))))
    rate: float = real(2.0, 2.0)


@pytest.mark.parametrize("space", [Space("net", Net()), load_space("small_volumes")])
def test_each_member_is_listed_once(space: Space[object]) -> None:
    members = [space.decide(decisions) for decisions in listed(space.decide)]
    assert len(members) == len(set(members)) == space.size()


def test_what_is_listed_is_what_a_walk_decides() -> None:
    space = Space("net", Net())
    assert all(space.read(space.decide(decisions)) == decisions for decisions in listed(space.decide))


def test_a_range_of_real_numbers_has_no_end() -> None:
    with pytest.raises(InputError, match=r"rate: a real number from 0.0 to 1.0 is open"):
        list(listed(Space("net", Net(rate=real(0.0, 1.0))).decide))
