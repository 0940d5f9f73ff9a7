"""The published networks of a space as they are shown: drawing, cost, and the count that is expected of them."""

from dataclasses import dataclass

from nas.architecture import EncoderDecoder
from nas.catalog import task_of
from nas.graph import Graph, trace
from nas.graph.picture import draw
from nas.graph.picture.words import short
from nas.space import Reference, Space


@dataclass(frozen=True)
class Member:
    """A published network: its picture in SVG, and facts by name."""

    name: str
    source: str
    picture: str
    facts: tuple[tuple[str, str], ...]


def members(space: Space[EncoderDecoder]) -> list[Member]:
    """All published networks, by name as they stand in the space."""
    return [_member(reference) for reference in space.members]


def _member(reference: Reference[EncoderDecoder]) -> Member:
    graph = trace(reference.architecture, task_of(reference))
    return Member(
        reference.name, reference.source, draw(graph, reference.name, tooltips=False), tuple(_facts(reference, graph))
    )


def _facts(reference: Reference[EncoderDecoder], graph: Graph) -> list[tuple[str, str]]:
    built = graph.parameters_of(*(("stem", reference.part) if reference.part else ("",)))
    agrees = "exact" if built == reference.parameters else f"DIFFERS, {built:,} are built"
    task = f"{reference.axes}D, {reference.channels} channel{_s(reference.channels)} to {reference.classes}"
    return [
        ("for", f"{task}, patch {' × '.join(map(str, graph.task.patch))}"),
        ("parameters", f"{graph.parameters:,}"),
        ("published", f"{reference.parameters:,} of the {reference.part or 'whole'}: {agrees}"),
        ("multiply-accumulates", short(graph.macs)),
        ("activations in training", f"{short(graph.training_bytes)}B"),
        ("receptive field", " × ".join(map(str, graph.receptive_field))),
        ("digest", graph.digest),
    ]


def _s(number: int) -> str:
    return "" if number == 1 else "s"
