"""What the docstrings of an exported file say of layers that no part has described."""

import pytest

from nas.architecture import EncoderDecoder, MaxPool, Mirrored, Stage, Style, Transition, UpStage
from nas.architecture.blocks import Basic, Plain, SplitAttention
from nas.export import source
from nas.export.wording import listed
from nas.graph import Task, trace


def text_of(*stages: Stage) -> str:
    decoder = Mirrored((UpStage(block=Plain(1)),) * (len(stages) - 1), 8)
    architecture = EncoderDecoder(encoder=stages, decoder=decoder, style=Style("batch"), width=8)
    return " ".join(source(trace(architecture, Task(2, 1, 2, (16, 16)))).split())


def test_a_layer_says_what_it_does_step_by_step() -> None:
    assert "One layer of `Plain`: 3x3 convolution, batch norm and ReLU." in text_of(Stage(Plain(2)))


def test_a_layer_unlike_the_others_of_its_kind_says_what_it_does() -> None:
    text = text_of(Stage(Plain(1)), Stage(SplitAttention(2), MaxPool()))
    assert (
        "A `SplitAttentionLayer` made of the shortcut, 1x1 convolution, batch norm, ReLU, the split and more." in text
    )


def test_a_stage_says_which_parts_it_has() -> None:
    text = text_of(Stage(Plain(1)), Stage(Plain(1), MaxPool()), Stage(Basic(1), Transition()))
    assert "A `Stage` made of max-pool and `Plain`." in text
    assert "A `Stage` made of `Transition` and `Basic`." in text


@pytest.mark.parametrize(
    ("words", "expected"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_words_are_listed_as_a_sentence_does(words: list[str], expected: str) -> None:
    assert listed(words) == expected
