"""`nas spaces import`: the network of another tool's plan, as a file."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from nas.architecture.plans import planned_network
from nas.catalog import load_space, read_member
from nas.cli.output import OUT
from nas.errors import InputError
from nas.graph import trace
from nas.space import to_document

SPACE = "unet_family"
"""What an imported network has to be a member of: so its file is read again without executing anything."""


def import_plans(
    plans: Annotated[Path, typer.Argument(help="plans.json of nnU-Net v2, or nnUNetPlans.json.")],
    to: Annotated[Path, typer.Option(help="File to write, as network.json.")],
    configuration: Annotated[str, typer.Option(help="As 2d or 3d_fullres.")] = "3d_fullres",
    classes: Annotated[
        int | None,
        typer.Option(help="Classes, background included.", show_default="what dataset.json beside the plans says"),
    ] = None,
) -> None:
    """The network of an nnU-Net plan as a member of unet_family, which can be costed, drawn and trained.

    The file says the task too: patch, strides and kernels of the plan. As a space it holds that one network. Folds that
    nnU-Net keeps beside the plan are for --splits of nas search.

    [bold]Examples[/bold]

      nas spaces import nnUNetPlans.json --configuration 3d_fullres --to network.json

      nas spaces cost unet_family --architecture network.json

      nas search --space network.json --data DIR --splits splits_final.json
    """
    if to.suffix != ".json":
        raise InputError(f"--to: found {to}, expected a file that ends in .json")
    content = read_member(plans)
    counted = _classes(plans.parent / "dataset.json") if classes is None else classes
    architecture, task = planned_network(content, configuration, counted)
    load_space(SPACE).read(architecture)
    graph = trace(architecture, task)
    data = content.get("dataset_name")
    name = f"{data or plans.stem} {configuration}"
    document = {
        "format": "nas network",
        "name": name,
        "source": f"nnU-Net's plan {plans.name}",
        "digest": graph.digest,
        "parameters": graph.parameters,
        "task": task.to_json(),
        "architecture": to_document(architecture),
    }
    try:
        to.write_text(json.dumps(document, indent=1), encoding="utf-8")
    except OSError as error:
        raise InputError(f"--to: {to}: cannot be written ({error.strerror}); name another file") from None
    facts = f"{graph.parameters:,} parameters, digest {graph.digest}, a member of {SPACE}"
    OUT.print(f"{name}: {facts}: {to}", soft_wrap=True, markup=False)
    folds = plans.parent / "splits_final.json"
    splits = f" --splits {folds}" if folds.is_file() else ""
    OUT.print(f"to train it: nas search --space {to} --data DIR{splits}", soft_wrap=True, markup=False)


def _classes(file: Path) -> int:
    """How many outputs a network has by nnU-Net's dataset.json: one a class, or one a region."""
    if not file.is_file():
        raise InputError(f"--classes: plans do not say how many, and there is no {file}; give it")
    labels: Any = read_member(file).get("labels")
    if not isinstance(labels, dict) or not labels:
        raise InputError(f"{file}: labels: found {labels!r}, expected names and values; or give --classes")
    scored = {name: value for name, value in labels.items() if name != "ignore"}
    regions = any(isinstance(value, list) for value in scored.values())
    return len(scored) - regions
