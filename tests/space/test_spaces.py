"""What every shipped space promises: deciding and reading are inverse, documents survive JSON, members are exact."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.architecture import slim
from nas.catalog import load_space, space_names, task_of
from nas.errors import InputError
from nas.graph import trace
from nas.space import Space, following, integer, one_of, repeated, shared, to_document

MEMBERS = [(name, member) for name in space_names() for member in load_space(name).members]


@pytest.mark.parametrize("name", space_names())
@settings(deadline=None, max_examples=25)
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
