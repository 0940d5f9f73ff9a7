"""A space whose walks are remembered answers as the space itself."""

from random import Random

import pytest

from nas.catalog import load_space
from nas.errors import InputError
from nas.searching.candidates import candidates_of
from nas.searching.tables.remembered import Remembered, remembered
from nas.training import load_recipe

SPACE = load_space("small_volumes")
PLAIN = candidates_of(SPACE, load_recipe("small_volumes").recipe)
QUICK = remembered(PLAIN)


@pytest.mark.parametrize("seed", range(20))
def test_it_draws_reads_and_changes_alike(seed: int) -> None:
    one, other = Random(seed), Random(seed)
    decisions = dict(PLAIN.architectures.sample(one)) | {"recipe.learning_rate": 0.01}
    assert dict(QUICK.architectures.sample(other)) | {"recipe.learning_rate": 0.01} == decisions
    assert QUICK.mutate(decisions, other) == PLAIN.mutate(decisions, one)
    assert QUICK.decide(decisions) == PLAIN.decide(decisions)
    assert QUICK.decide(decisions) == PLAIN.decide(decisions)
    assert QUICK.distributions(decisions) == PLAIN.distributions(decisions)
    assert one.random() == other.random()


def test_published_networks_are_read_alike() -> None:
    for _ in range(2):
        for member in SPACE.members:
            assert QUICK.read(member.architecture) == PLAIN.read(member.architecture)


def test_what_is_refused_is_refused_each_time() -> None:
    space = Remembered(SPACE.name, SPACE.template, SPACE.members)
    decisions = dict(space.sample(Random(0)))
    for wrong in (decisions | {"family": "unheard of"}, decisions | {"more": 1}, {}):
        for _ in range(2):
            with pytest.raises(InputError):
                space.decide(wrong)
    assert space.decide(decisions) == SPACE.decide(decisions)
    assert space.digest() == SPACE.digest()
