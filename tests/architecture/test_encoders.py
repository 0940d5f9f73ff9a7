"""Encoders that one word names are those of the published networks."""

import pytest

from nas.architecture import slim
from nas.architecture.encoders import ENCODERS
from nas.catalog import load_space, task_of
from nas.graph import Task, trace

SPACE, FAMILY = load_space("pretrained_encoders"), load_space("unet_family")


@pytest.mark.parametrize("member", SPACE.members, ids=lambda member: member.name)
def test_a_word_names_a_published_network(member: object) -> None:
    name, task = member.name, task_of(member)  # type: ignore[attr-defined]
    graph = trace(SPACE.references[name], task)
    assert graph.digest == trace(FAMILY.references[name], task).digest
    assert [node.name for node in graph.nodes] == [node.name for node in trace(FAMILY.references[name], task).nodes]


def test_every_encoder_is_a_choice() -> None:
    assert set(SPACE.choices()["encoder"].labels) == set(ENCODERS)  # type: ignore[union-attr]
    assert {dict(SPACE.read(member.architecture))["encoder"] for member in SPACE.members} == set(ENCODERS)


def test_what_is_slimmed_is_what_follows_the_encoder() -> None:
    whole = SPACE.references["ResNet-18 U-Net"]
    narrow, task = slim(whole, 2), Task(2, 3, 2)
    assert trace(narrow, task).parameters_of("stem", "encoder") == trace(whole, task).parameters_of("stem", "encoder")
    assert trace(narrow, task).parameters < trace(whole, task).parameters
