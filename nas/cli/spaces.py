"""`nas spaces`: what can be searched, and what its networks are and cost."""

import random
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from nas.architecture import EncoderDecoder
from nas.catalog import is_file, load_member, load_space, published, read_member, space_names, task_in, task_of
from nas.cli.output import OUT, print_json, short_count, table
from nas.cli.parsing import parse_sizes
from nas.cli.plans import import_plans
from nas.errors import InputError
from nas.graph import Graph, Task, trace
from nas.space import Choice, Reference, Space, to_document

app = typer.Typer(help="What can be searched, and what its networks are and cost.", invoke_without_command=True)

SpaceName = Annotated[str, typer.Argument(help="A shipped space, a plugin's, or a file such as ./mine.py.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
AxesOption = Annotated[int | None, typer.Option(help="Spatial axes, 2 or 3.", show_default="2, or the file's")]
ChannelsOption = Annotated[int | None, typer.Option(help="Input channels.", show_default="1, or the file's")]
ClassesOption = Annotated[
    int | None, typer.Option(help="Classes, background included.", show_default="2, or the file's")
]
PatchOption = Annotated[str | None, typer.Option(help="Voxels per axis, as 256,256.")]
ReferenceOption = Annotated[str | None, typer.Option(help="A published network of the space.")]
FileOption = Annotated[Path | None, typer.Option("--architecture", help="A member's JSON file.")]
SeedOption = Annotated[int, typer.Option(help="Of a random member.")]


app.command("import")(import_plans)


@app.callback()
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        list_spaces(json=False)


@app.command("list")
def list_spaces(json: JsonOption = False) -> None:
    """All spaces by name.

    [bold]Example[/bold]

      nas spaces list
    """
    spaces = [load_space(name) for name in space_names()]
    if json:
        print_json({"spaces": [_overview(space) for space in spaces]})
        return
    rows = [(s.name, _size(s.size()), str(len(s.members)), s.description) for s in spaces]
    OUT.print(table("spaces", ("space", "networks", "published", "what is in it"), rows))


@app.command("show")
def show(
    space: SpaceName,
    to: Annotated[Path | None, typer.Option(help="Write it as a web page: an .html file, with drawings.")] = None,
    json: JsonOption = False,
) -> None:
    """A space's choices, and its published networks with expected and built parameter counts.

    [bold]Examples[/bold]

      nas spaces show unet_family

      nas spaces show unet_family --to unet_family.html
    """
    loaded = load_space(space)
    if to is not None:
        from nas.gallery import write_page

        write_page(loaded, to)
        OUT.print(f"{loaded.name}: {to}", soft_wrap=True)
        return
    references = [_reference(member) for member in loaded.members]
    if json:
        choices = [{"path": path} | _choice(choice) for path, choice in loaded.choices().items()]
        print_json({"name": loaded.name, "size": loaded.size(), "choices": choices, "references": references})
        return
    OUT.print(Text.assemble((loaded.name, "bold"), f": {loaded.description}"), soft_wrap=True)
    OUT.print(f"{_size(loaded.size())} networks\n")
    rows = [(path, _options(choice)) for path, choice in loaded.choices().items()]
    OUT.print(table("choices", ("path", "options"), rows))
    if not references:
        return
    OUT.print()
    columns = ("network", "task", "counted", "expected", "built", "", "source")
    OUT.print(table("published networks", columns, [_reference_row(reference) for reference in references]))


@app.command("sample")
def sample(space: SpaceName, seed: SeedOption = 0, json: JsonOption = False) -> None:
    """A random member: its decisions and its architecture.

    [bold]Example[/bold]

      nas spaces sample unet_family --seed 7 --json > member.json
    """
    loaded = load_space(space)
    decisions = loaded.sample(random.Random(seed))
    if json:
        print_json({"decisions": dict(decisions), "architecture": to_document(loaded.decide(decisions))})
        return
    OUT.print(table(f"a member of {loaded.name}", ("choice", "taken"), [(p, str(v)) for p, v in decisions.items()]))


@app.command("cost")
def cost(
    space: SpaceName,
    reference: ReferenceOption = None,
    architecture: FileOption = None,
    seed: SeedOption = 0,
    axes: AxesOption = None,
    channels: ChannelsOption = None,
    classes: ClassesOption = None,
    patch: PatchOption = None,
    json: JsonOption = False,
) -> None:
    """What a member costs: parameters, multiply-accumulates, training memory, receptive field.

    [bold]Example[/bold]

      nas spaces cost unet_family --reference U-Net --axes 2 --channels 1 --classes 1 --patch 256,256
    """
    _expect_one(reference, architecture)
    name, graph = _graph(space, reference, architecture, seed, _task(axes, channels, classes, patch, architecture))
    facts = {
        "network": name,
        "digest": graph.digest,
        "parameters": graph.parameters,
        "macs": graph.macs,
        "training_bytes": graph.training_bytes,
        "receptive_field": list(graph.receptive_field),
        "total_stride": list(graph.total_stride),
        "task": graph.task.to_json(),
    }
    if json:
        print_json(facts)
        return
    rows = [
        ("parameters", f"{graph.parameters:,}"),
        ("MACs of one patch", f"{graph.macs:,}"),
        ("bytes held to train on one patch", f"{graph.training_bytes:,}"),
        ("receptive field in voxels", " x ".join(map(str, graph.receptive_field))),
        ("patch", " x ".join(map(str, graph.task.patch))),
        ("digest", graph.digest),
    ]
    OUT.print(table(name, ("", ""), rows))


@app.command("draw")
def draw(
    space: SpaceName,
    members: Annotated[
        list[str] | None,
        typer.Argument(
            help="One or two networks: published ones by name, seed:7 for a random one, or a member's JSON file; two "
            "are drawn side by side, and what differs is marked."
        ),
    ] = None,
    reference: ReferenceOption = None,
    architecture: FileOption = None,
    seed: SeedOption = 0,
    axes: AxesOption = None,
    channels: ChannelsOption = None,
    classes: ClassesOption = None,
    patch: PatchOption = None,
    to: Annotated[Path, typer.Option(help="File to write: .svg or .pdf.")] = Path("network.svg"),
) -> None:
    """Draw a member as an SVG or PDF picture, or two side by side.

    [bold]Examples[/bold]

      nas spaces draw unet_family "DeepLabv3+ R50" --to deeplab.svg

      nas spaces draw unet_family U-Net "Attention U-Net" --to both.pdf
    """
    from nas.graph.picture import compare, draw_both
    from nas.graph.picture import draw as drawn
    from nas.graph.picture.writing import expect_kind, write_picture

    expect_kind(to)
    _expect_one(reference, architecture)
    task = _task(axes, channels, classes, patch, architecture)
    if not members:
        name, graph = _graph(space, reference, architecture, seed, task)
        write_picture(drawn(graph, title=name), to)
        OUT.print(f"{name}: {to}", soft_wrap=True)
        return
    if reference is not None or architecture is not None or len(members) > 2:
        raise InputError("draw: give one or two networks by name after the space, or --reference, or --architecture")
    loaded = load_space(space)
    graphs = [trace(_member(loaded, name), task) for name in members]
    if len(members) == 1:
        write_picture(drawn(graphs[0], title=members[0]), to)
        OUT.print(f"{members[0]}: {to}", soft_wrap=True)
        return
    write_picture(draw_both(graphs[0], graphs[1], (members[0], members[1])), to)
    rows = [(item.where, item.first or "-", item.second or "-") for item in compare(*graphs).differences]
    OUT.print(table("what differs", ("", *members), rows) if rows else "they are the same at every level")
    OUT.print(f"{members[0]} and {members[1]}: {to}", soft_wrap=True)


def _expect_one(reference: str | None, architecture: Path | None) -> None:
    """Refuse a network that is named twice, before either is read."""
    if reference is not None and architecture is not None:
        raise InputError("--reference and --architecture: give one of them, not both")


def _member(space: Space[EncoderDecoder], name: str) -> EncoderDecoder:
    """A member by what it is called on the command line."""
    if seed := re.fullmatch(r"seed:(\d{1,18})", name):
        return space.decide(random.Random(int(seed[1])))
    if name not in space.references and is_file(name, ".json"):
        return load_member(space, read_member(Path(name)))
    return published(space, name)


def _task(axes: int | None, channels: int | None, classes: int | None, patch: str | None, file: Path | None) -> Task:
    """The task that the options name; what they leave open is the file's, where it was made for one."""
    stored = task_in(read_member(file)) if file is not None else None
    sizes = parse_sizes(patch, "--patch") if patch else ()
    if stored is None or axes not in (None, stored.axes):
        return Task(_or(axes, 2), _or(channels, 1), _or(classes, 2), sizes)
    return replace(
        stored,
        channels=_or(channels, stored.channels),
        classes=_or(classes, stored.classes),
        patch=sizes or stored.patch,
    )


def _or(number: int | None, default: int) -> int:
    return default if number is None else number


def _graph(space: str, reference: str | None, file: Path | None, seed: int, task: Task) -> tuple[str, Graph]:
    """The network that the options name, traced: a published one, one from a file, or a random one."""
    loaded = load_space(space)
    if reference is not None:
        return reference, trace(published(loaded, reference), task)
    if file is not None:
        return file.name, trace(load_member(loaded, read_member(file)), task)
    return f"random member, seed {seed}", trace(loaded.decide(random.Random(seed)), task)


def _reference(member: Reference[EncoderDecoder]) -> dict[str, Any]:
    """A published network with the count that is expected of it and the one that it has."""
    graph = trace(member.architecture, task_of(member))
    counted = ("stem", member.part) if member.part else ("",)
    return {
        "name": member.name,
        "digest": graph.digest,
        "parameters": graph.parameters_of(*counted),
        "expected_parameters": member.parameters,
        "part": member.part or "whole",
        "network_parameters": graph.parameters,
        "axes": member.axes,
        "channels": member.channels,
        "classes": member.classes,
        "strides": member.strides,
        "kernels": member.kernels,
        "source": member.source,
    }


def _reference_row(reference: Mapping[str, Any]) -> tuple[str, ...]:
    agrees = "exact" if reference["parameters"] == reference["expected_parameters"] else "DIFFERS"
    levels = ", planned levels" if reference["strides"] else ""
    task = f"{reference['axes']}D, {reference['channels']} to {reference['classes']}{levels}"
    counts = [f"{reference[name]:,}" for name in ("expected_parameters", "parameters")]
    return reference["name"], task, reference["part"], *counts, agrees, reference["source"]


def _overview(space: Space[EncoderDecoder]) -> dict[str, Any]:
    return {
        "name": space.name,
        "size": space.size(),
        "references": list(space.references),
        "description": space.description,
    }


def _choice(choice: Choice) -> dict[str, Any]:
    labels = getattr(choice, "labels", None)
    if labels is not None:
        return {"kind": "one_of", "options": list(labels)}
    return {"kind": type(choice).__name__.lower()} | vars(choice)


def _options(choice: Choice) -> str:
    labels = getattr(choice, "labels", None)
    if labels is not None:
        return ", ".join(str(label) for label in labels)
    document = _choice(choice)
    return f"{document['low']} to {document['high']}"


def _size(size: int | None) -> str:
    if size is None:
        return "infinitely many"
    return short_count(size) if size < 10**12 else f"10^{len(str(size)) - 1}"
