"""Parts that take one decision for a whole network compute what the parts that they name compute."""

import pytest

from nas.architecture import Concatenate, EncoderDecoder, Mirrored, Stage, Strided, Style, UpStage
from nas.architecture.blocks import Plain
from nas.architecture.uniform import FAMILIES, SKIPS, FamilyBlock, Join, Pyramid
from nas.errors import InputError
from nas.graph import Task, trace
from nas.space import Space, one_of, shared

TASKS = [Task(2, 1, 2, (32, 32), ((2, 2),) * 2), Task(3, 1, 3, (16, 24, 16), ((2, 2, 2),) * 2)]


def network(block: object, skip: object, decoder: object = None) -> EncoderDecoder:
    up = UpStage(skip=skip, block=block)  # type: ignore[arg-type]
    return EncoderDecoder(
        encoder=(Stage(block), Stage(block, Strided()), Stage(block, Strided())),  # type: ignore[arg-type]
        decoder=decoder or Mirrored((up, up), 4),  # type: ignore[arg-type]
        style=Style("batch"),
        width=4,
    )


@pytest.mark.parametrize("task", TASKS, ids=["2D", "3D"])
@pytest.mark.parametrize("skip", SKIPS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_and_skip_makes_a_network_of_its_own(family: str, skip: str, task: Task) -> None:
    mirrored = trace(network(FamilyBlock(family), Join(skip)), task)
    pyramid = trace(network(FamilyBlock(family), Join(skip), Pyramid(FamilyBlock(family))), task)
    assert mirrored.digest != pyramid.digest
    assert all(graph.nodes[graph.outputs[0]].channels == task.classes for graph in (mirrored, pyramid))


def test_what_a_word_names_is_the_part_itself() -> None:
    by_words = network(FamilyBlock("plain"), Join("concatenate"))
    by_parts = network(Plain(2), Concatenate())
    assert trace(by_words, TASKS[0]).digest == trace(by_parts, TASKS[0]).digest


def test_one_decision_stands_at_every_level() -> None:
    block = FamilyBlock(shared("family", one_of("plain", "dense")))
    space = Space("uniform", network(block, Join(shared("skip", one_of("add", "gate")))))
    assert space.size() == 4
    decided = space.decide({"family": "dense", "skip": "gate"})
    assert {stage.block for stage in decided.encoder} == {FamilyBlock("dense")}


@pytest.mark.parametrize(("part", "message"), [(FamilyBlock("plane"), "plane"), (Join("glue"), "glue")])
def test_a_word_that_names_nothing_is_refused(part: object, message: str) -> None:
    block, skip = (part, Join()) if isinstance(part, FamilyBlock) else (FamilyBlock(), part)
    with pytest.raises(InputError, match=message):
        trace(network(block, skip), TASKS[0])
