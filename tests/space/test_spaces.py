"""What every shipped space promises: deciding and reading are inverse, documents survive JSON, members are exact."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.architecture import slim
from nas.catalog import load_space, space_names, task_of
from nas.errors import InputError
from nas.graph import trace
from nas.space import Space, following, integer, one_of, repeated, settled, shared, to_document, weighted
from nas.space.choosers import from_trial

MEMBERS = [(name, member) for name in space_names() for member in load_space(name).members]


@pytest.mark.parametrize("name", space_names())
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_laws(name: str, seed: int) -> None:
    space, generator = load_space(name), random.Random(seed)
    decisions = space.sample(generator)
    architecture = space.decide(decisions)
    assert space.read(architecture) == decisions
    assert space.load(json.loads(json.dumps(to_document(architecture)))) == architecture
    changed = space.mutate(decisions, generator)
    assert changed != decisions
    assert space.read(space.decide(changed)) == changed


@pytest.mark.parametrize(("name", "member"), MEMBERS, ids=[f"{name}-{member.name}" for name, member in MEMBERS])
def test_published_networks_are_members_to_the_digit(name: str, member) -> None:
    space = load_space(name)
    assert space.decide(space.read(member.architecture)) == member.architecture
    graph = trace(member.architecture, task_of(member))
    counted = ("stem", member.part) if member.part else ("",)
    assert graph.parameters_of(*counted) == member.parameters


@pytest.mark.parametrize(("name", "member"), MEMBERS, ids=[f"{name}-{member.name}" for name, member in MEMBERS])
def test_slimmed_members_are_members(name: str, member) -> None:
    for rungs in range(1, 10):
        load_space(name).read(slim(member.architecture, rungs))


@dataclass(frozen=True)
class Down:
    levels = 1


@dataclass(frozen=True)
class Layer:
    size: int = 1
    growth: int = 2


@dataclass(frozen=True)
class Level:
    layer: Layer | None
    down: Down | None = None


@dataclass(frozen=True)
class Net:
    encoder: tuple[Level, ...]
    decoder: tuple[Layer, ...]


LAYER = one_of(Layer(size=integer(1, 2), growth=shared("growth", one_of(4, 8))), None)
SMALL = Space(
    "small",
    Net(
        encoder=(Level(LAYER), *repeated(Level(LAYER, one_of(None, Down())), integer(0, 1))),
        decoder=following(LAYER, "levels"),
    ),
)


def test_size_counts_every_decision_once() -> None:
    generator = random.Random(0)
    seen = {tuple(sorted(SMALL.sample(generator).items())) for _ in range(20_000)}
    assert len(seen) == SMALL.size()


@dataclass(frozen=True)
class Drawn:
    size: int = weighted(one_of(1, 2, 3), 3, 1, 0)
    bias: bool = settled(False, True)


DRAWN = Space("drawn", Drawn())


def test_options_are_drawn_by_their_weights_and_those_of_none_are_read_but_never_proposed() -> None:
    generator = random.Random(0)
    drawn = Counter(DRAWN.decide(generator) for _ in range(1000))
    assert drawn.keys() == {Drawn(1, False), Drawn(2, False)}
    assert 650 < drawn[Drawn(1, False)] < 850
    assert DRAWN.size() == 2
    held = {"size": 3, "bias": True}
    assert DRAWN.read(DRAWN.decide(held)) == held
    assert {DRAWN.mutate(held, generator)["size"] for _ in range(50)} == {1, 2}
    assert all(DRAWN.mutate(held, generator)["bias"] for _ in range(50))


def test_a_trial_that_suggests_what_is_not_to_be_proposed_gets_what_is() -> None:
    class Last:
        def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
            return choices[-1]

    assert DRAWN.decide(from_trial(Last())) == Drawn(1, False)  # type: ignore[arg-type]


def test_a_weighted_space_offers_what_it_offered_before() -> None:
    assert Space("drawn", Drawn(one_of(1, 2, 3), one_of(False, True))).digest() == DRAWN.digest()


@pytest.mark.parametrize("weights", [(), (1, 1), (1, -1, 0), (0, 0, 0)])
def test_weights_that_are_none_are_refused(weights: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match="one weight for each"):
        weighted(one_of(1, 2, 3), *weights)


def test_no_random_member_has_a_bias_that_a_norm_cancels() -> None:
    styles = [load_space("unet_family").decide(random.Random(seed)).style for seed in range(200)]
    assert not any(style.conv_bias for style in styles)


def test_what_is_no_member_says_where() -> None:
    document = to_document(SMALL.decide({"encoder.length": 0, "encoder.0.layer": "none"}))
    document["encoder"][0]["layer"] = {"kind": "layer", "size": 7, "growth": 4}
    with pytest.raises(
        InputError, match=r"encoder\.0\.layer\.layer\.size: found 7, expected a whole number from 1 to 2"
    ):
        SMALL.load(document)


def test_unknown_space_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'unet_family'"):
        load_space("unet_famly")


def test_a_plugin_that_raises_is_named_with_the_line_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_plugin.py").write_text("SIZES = (8, 16)\nSPACE = SIZES[2]\n")
    folder = tmp_path / "broken_plugin-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[nas.spaces]\nbroken = broken_plugin:SPACE\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "broken" in space_names()
    with pytest.raises(
        InputError, match=r"'broken' \(broken_plugin:SPACE\): raised IndexError.*broken_plugin.py, line 2"
    ):
        load_space("broken")
