"""What is wrong with a part of a user's own is said in one line: the part, its path, what was found and expected."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest

import nas.architecture
from nas.architecture import EncoderDecoder, Linear, MaxPool, Mirrored, Site, Stage, Style, UpStage
from nas.architecture.blocks import Plain
from nas.errors import InputError
from nas.graph import Ops, Task, Tensor, trace
from nas.graph.names import RESERVED
from nas.space import Space, integer, knob, one_of
from nas.space.knobs import TAKES, Takes
from tests.architecture.test_blocks import BLOCKS, OTHERS

TASK = Task(2, 1, 2, (32, 32))


@dataclass(frozen=True)
class Own:
    """A user's part that does what it is told."""

    does: Callable[..., Any]
    levels: int = 1

    def __call__(self, *arguments: Any) -> Any:
        return self.does(*arguments)


def network(**changes: Any) -> EncoderDecoder:
    """Two levels with a part exchanged for another."""
    encoder = (Stage(), Stage(changes.pop("block", Plain()), changes.pop("down", MaxPool())))
    stage = UpStage(changes.pop("up", Linear()), changes.pop("skip", None), changes.pop("after", Plain()))
    return EncoderDecoder(encoder=encoder, decoder=Mirrored((stage,), width=8), width=8, **changes)


def idle(x: Tensor, ops: Ops, site: Site) -> Tensor:
    ops.conv(x, 4)
    return ops.conv(x, site.width)


def clashing(x: Tensor, ops: Ops, site: Site) -> Tensor:
    x = ops.conv(x, site.width, name="inner")
    with ops.scope("inner"):
        return ops.conv(x, site.width)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"block": Own(lambda x, ops, site: None)}, "Own at encoder.1.block: returned nothing, expected a tensor"),
        ({"block": Own(lambda x, ops, site: (x,))}, "Own at encoder.1.block: returned a tuple, expected a tensor"),
        ({"block": Own(lambda x, ops, site: ops.global_pool(x))}, "Own at encoder.1.block: returned a pooled tensor"),
        ({"block": Own(idle)}, "Own at encoder.1.block: what encoder.1.block.conv makes leads to no output"),
        ({"block": Own(clashing)}, "Own at encoder.1.block: encoder.1.block.inner names a layer already"),
        ({"block": Own(lambda x, ops, site: ops.conv(x, 8, name="forward"))}, "'forward' is one that torch's modules"),
        ({"block": Own(lambda x, ops, site: ops.conv(x, 8, name="a..b"))}, "the name 'a..b'"),
        ({"block": Own(lambda x, ops, site: ops.conv(x, 0))}, "Own at encoder.1.block: channels 0, expected a whole"),
        ({"block": Own(lambda x, ops, site: ops.conv(x, 8, 0))}, "kernel 0, expected a whole number of at least 1"),
        ({"block": Own(lambda x, ops, site: ops.conv(x, 8, (3, 3, 3)))}, "kernel (3, 3, 3), expected a whole number"),
        ({"block": Own(lambda x, ops, site: ops.conv(x, 8, stride=1.5))}, "stride 1.5, expected a whole number"),
        ({"block": Own(lambda x, ops, site: ops.conv(x, 8, groups=3))}, "8 to 8 channels do not divide into 3 groups"),
        ({"block": Own(lambda x, ops, site: ops.norm(x, kind="bach"))}, "norm 'bach', expected one of none, batch"),
        ({"block": Own(lambda x, ops, site: ops.act(x, "swish"))}, "activation 'swish', expected one of relu, leaky"),
        ({"block": Own(lambda x, ops, site: ops.dropout(x, 1.5))}, "dropout 1.5, expected a rate from 0 to below 1"),
        ({"block": MaxPool()}, "MaxPool at encoder.1.block: returned a tuple, expected a tensor"),
        ({"block": Linear()}, "Linear at encoder.1.block: Linear cannot be called with (Tensor, Ops, Site)"),
        ({"block": TASK}, "Task has no __call__; expected a part that can stand here"),
        ({"block": "plain"}, "encoder.1: Stage block: found 'plain', expected a part"),
        ({"down": Own(lambda x, ops, site: x)}, "Own at encoder.1.down: expected a tensor and the site"),
        ({"down": Own(lambda x, ops, site: (x, site), levels=3)}, "Own.levels is 3, expected how many levels"),
        ({"up": Own(lambda x, ops, width, strides: x)}, "Own at decoder.0.up: returned a tensor of strides (2, 2)"),
        ({"skip": Own(lambda feature, coarse, x, ops: coarse)}, "Own at decoder.0.skip: returned a tensor of strides"),
        ({"bridge": Own(lambda x, ops: None)}, "Own at bridge: returned nothing, expected a tensor"),
        ({"stem": Own(lambda x, ops, strides: (), levels=0)}, "Own at stem: returned nothing, expected a tuple"),
        ({"head": Own(lambda tensors, ops, full: tensors)}, "has an output of 8 channels, expected 2"),
        ({"encoder": ()}, "EncoderDecoder encoder: found (), expected a tuple of parts, at least 1"),
        ({"width": 0}, "EncoderDecoder width: found 0, expected a whole number from 1"),
        ({"width": 1.5}, "EncoderDecoder width: found 1.5, expected a whole number from 1"),
        ({"width": True}, "EncoderDecoder width: found True, expected a whole number from 1"),
    ],
)
def test_it_is_refused_in_one_line(parts: dict[str, Any], message: str) -> None:
    encoder = parts.pop("encoder", None) if "encoder" in parts else None
    whole = network(**{key: value for key, value in parts.items() if key != "width"})
    whole = whole if encoder is None else replace(whole, encoder=encoder)
    whole = replace(whole, width=parts["width"]) if "width" in parts else whole
    with pytest.raises(InputError) as raised:
        trace(whole, TASK)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@dataclass(frozen=True)
class Chosen:
    """A user's block that says what its knobs take."""

    mode: str = knob("near", words=("near", "far"))
    count: int = knob(2, low=1, high=3)
    share: float = knob(0.5, low=0, below=1)
    loose: int = 4

    def __call__(self, x: Tensor, ops: Ops, site: Site) -> Tensor:
        return ops.conv(x, site.width)


PARTS = [*BLOCKS, *OTHERS, Style, EncoderDecoder, Mirrored, Chosen]
KNOBS = [
    (part, item.name, item.metadata[TAKES])
    for part in PARTS
    for item in fields(part)
    if item.init and TAKES in item.metadata
]


def wrong_values(part: Any, name: str, takes: Takes) -> list[Any]:
    """What a knob does not take: a word misspelt, a number beyond each end, another type."""
    default = getattr(part(), name)
    if takes.words:
        return [default[:-1], default.upper(), "", None, 3]
    if isinstance(default, tuple):
        return [(), None]
    ends = [takes.low - 1 if takes.low is not None else None, takes.high + 1 if takes.high else takes.below]
    kinds = ["3", float("nan")] + ([1.5] if isinstance(default, int) else [])
    return [*(end for end in ends if end is not None), *kinds]


@pytest.mark.parametrize(("part", "name", "takes"), KNOBS, ids=[f"{part.__name__}-{name}" for part, name, _ in KNOBS])
def test_each_knob_of_each_part_refuses_what_it_does_not_take(part: Any, name: str, takes: Takes) -> None:
    for wrong in wrong_values(part, name, takes):
        one = part(**{name: wrong})
        with pytest.raises(InputError, match=f"{part.__name__} {name}: found .*, expected"):
            trace(Holds(one), TASK)
        offered = wrong if isinstance(wrong, tuple) else one_of(wrong)
        with pytest.raises(InputError, match=f"one.*{part.__name__} {name}: found .*, expected"):
            Space("own", Holds(part(**{name: offered})))


@dataclass(frozen=True)
class Holds:
    """An architecture that holds a part and does nothing with it."""

    one: Any
    style: Style = field(default_factory=Style)

    def __call__(self, x: Tensor, ops: Ops) -> tuple[Tensor, ...]:
        return (ops.conv(x, ops.task.classes),)


@pytest.mark.parametrize("part", PARTS[:-1], ids=lambda part: part.__name__)
def test_each_number_and_word_of_each_part_says_what_it_takes(part: Any) -> None:
    silent = [
        item.name
        for item in fields(part)
        if type(getattr(part(), item.name)) in (int, float, str) and TAKES not in item.metadata
    ]
    assert not silent


def test_a_range_that_leaves_what_a_knob_takes_is_refused_with_the_space() -> None:
    with pytest.raises(InputError, match="Chosen count: found 9, expected a whole number from 1 to 3"):
        Space("own", network(block=Chosen(count=integer(1, 9))))


def test_reserved_names_are_all_that_torchs_modules_have() -> None:
    from torch import nn

    from nas.network import build

    kinds = (nn.Module, nn.ModuleList, nn.ModuleDict, nn.Sequential)
    names = {name for kind in kinds for name in dir(kind)} | set(vars(build(trace(network(), TASK))))
    assert {name for name in names if not name.startswith("_")} <= RESERVED


def test_every_family_of_parts_is_scanned() -> None:
    assert {"Dense", "Style", "MaxPool", "ConvStem", "ASPP"} <= {part.__name__ for part in PARTS}
    assert nas.architecture.Dilate in PARTS
