"""What a person must know of a model before using it, as one page."""

from collections.abc import Iterator, Mapping
from statistics import fmean
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nas.model.trained import TrainedModel

_UNKNOWN = "not recorded"


def card(model: "TrainedModel") -> str:
    """The model card as Markdown (Mitchell et al. 2019, arXiv:1810.03993)."""
    sections = (
        ("", _what(model)),
        ("Data", _data(model)),
        ("Metrics", _metrics(model)),
        ("How it was trained", _training(model)),
        ("Limits", _limits(model)),
        ("Speed", _speed(model)),
        ("Bad input", _bad_input(model)),
        ("How to use it", _use()),
        ("How to cite", _cite(model)),
    )
    title = f"# {_name(model)}"
    return (
        "\n\n".join([title, *("\n".join([*([f"## {name}", ""] if name else []), *lines]) for name, lines in sections)])
        + "\n"
    )


def _name(model: "TrainedModel") -> str:
    about = model.provenance
    network = about.get("reference") or "A network that nas found"
    return f"{network} for {about['data']}" if about.get("data") else f"{network}"


def _what(model: "TrainedModel") -> Iterator[str]:
    seen = "slice by slice" if model.slicing else "as a whole"
    through = f"through windows of {_by(model.windows.size or model.task.patch)}"
    if model.windows.size is None:
        through = f"at once up to {model.windows.most:,} voxels, larger ones {through}"
    yield (
        f"Segments {', '.join(model.target_names)} in {model.axes}D images of "
        f"{_counted(len(model.channels), 'channel')} ({', '.join(model.channels)}), "
        f"seen {seen}, {through}."
    )
    yield ""
    for graph in model.graphs or (model.graph,):
        yield f"- network: {graph.parameters:,} trainable parameters, graph {graph.digest}"
    if len(model.states) > 1:
        yield f"- an ensemble of {len(model.states)} trainings, whose probabilities are averaged"
    if model.provenance.get("synthetic"):
        yield "- trained on synthetic images: it says nothing about real scans"


def _data(model: "TrainedModel") -> Iterator[str]:
    about = model.provenance
    yield f"- data set: {about.get('data', _UNKNOWN)}, {about.get('cases', _UNKNOWN)} cases"
    yield f"- digest of its content: {about.get('data_digest', _UNKNOWN)}"
    yield f"- licence: {about.get('licence', _UNKNOWN + '; ask whoever gave you the data, and write it here')}"
    aside = about.get("held_out") or {}
    if aside.get("cases"):
        yield f"- put aside before the search: {aside['cases']} cases, looked at {_counted(aside['looks'], 'time')}"
    yield f"- held out of training: {_held_out(about)}"


def _held_out(about: Mapping[str, Any]) -> str:
    match (about.get("trained") or {}).get("on"):
        case "all":
            return "none, all of them trained it"
        case "folds":
            return "of each member another fold, and what was put aside"
    return f"fold {about['fold']}" if "fold" in about else "none recorded"


def _metrics(model: "TrainedModel") -> Iterator[str]:
    about = model.provenance
    dice = about.get("dice")
    searched = about.get("dice_in_the_search")
    if about.get("trained"):
        yield from _final_metrics(about["trained"]["on"] == "all", searched)
        return
    if dice is None:
        yield "None was measured. Measure it on cases of your own with `nas evaluate`."
        return
    yield "| structure | mean Dice |"
    yield "|---|---|"
    for name, value in (about.get("target_dice") or {}).items():
        yield f"| {name} | {_UNKNOWN if value is None else f'{value:.4f}'} |"
    yield f"| all | {dice:.4f} |"
    yield ""
    looks = about.get("looks")
    yield (
        f"On held-out cases, which were looked at {_counted(looks, 'time')}."
        if looks is not None
        else "On the cases that the search compared networks on: the best of many looks better there than it is. "
        "Measure it on cases that no search has seen before relying on it."
    )


def _final_metrics(on_all: bool, searched: float | None) -> Iterator[str]:
    yield (
        "None was measured of these weights, as every case trained "
        + ("them." if on_all else "one of the members.")
        + " Measure it on cases of your own with `nas evaluate`; `nas confirm` says what such trainings reach."
    )
    if searched is not None:
        yield ""
        yield f"In the search the network had {searched:.4f} mean Dice, as the best of several: expect less."


def _training(model: "TrainedModel") -> Iterator[str]:
    recipe, about = model.recipe, model.provenance
    steps = "so many steps as its time allowed" if recipe.steps is None else f"{recipe.steps:,} steps"
    yield f"- {steps} of {recipe.batch} patches, recipe {recipe.digest}; all of it is in `model.json`"
    begun: Mapping[str, Any] = about.get("pretrained") or {}
    if begun:
        changes = "".join(f", {change}" for change in begun["changes"])
        yield (
            f"- its encoder, {begun['share']:.1%} of its weights, began with {begun['file']} (SHA-256 "
            f"{begun['sha256']}; {begun['source']}{changes}): who published those says what they were trained on, and "
            "under which licence"
        )
    trained = about.get("trained") or {}
    if trained:
        folds = ", ".join(map(str, trained["folds"]))
        yield f"- on the training cases of folds {folds}" if folds else "- on all cases"
    seeds = ", ".join(map(str, trained.get("seeds", ()))) or about.get("seed", _UNKNOWN)
    yield f"- seed {seeds}, on {about.get('device') or _UNKNOWN}"
    spacing = " x ".join(f"{step:.4g}" for step in model.preprocessing.spacing)
    yield f"- images are brought to a spacing of {spacing} mm first, and results put back on the image's own grid"
    versions: Mapping[str, Any] = about.get("versions") or {}
    yield f"- versions: {', '.join(f'{name} {version}' for name, version in versions.items()) or _UNKNOWN}"


def _limits(model: "TrainedModel") -> Iterator[str]:
    yield (
        "- It is made for images like those it was trained on. Another scanner, sequence, population or disease can "
        "make it fail, and it does not say so."
    )
    yield "- It always answers: where a structure is absent it may invent one."
    yield "- It is no medical device. A person who can judge the result must look at it."


def _speed(model: "TrainedModel") -> Iterator[str]:
    yield (
        f"A window takes {fmean(graph.macs for graph in model.of_each) / 1e9:,.2f} billion multiply-accumulates"
        f"{_times(model)}. `nas predict` says the memory it needs before it starts and the seconds of each image."
    )


def _bad_input(model: "TrainedModel") -> Iterator[str]:
    yield (
        "Images of another number of channels or axes, with voxels that are no numbers, or that cannot be read are "
        "listed and left out; the others are done. Another spacing or orientation is resampled and turned, and put "
        "back. A spacing far from the training's, units that are not the training's where those are fixed (CT), and an "
        "image in which nothing varies are warned of."
    )


def _use() -> Iterator[str]:
    yield "    nas predict MODEL --images DIR --to DIR"
    yield "    nas evaluate DIR --labels DIR"
    yield "    nas export MODEL --as pytorch,onnx,pt2,monai --to DIR"


def _cite(model: "TrainedModel") -> Iterator[str]:
    about = model.provenance
    where = f", study {about['study']}, trial {about['trial']}" if "study" in about else ""
    version = (about.get("versions") or {}).get("nas", _UNKNOWN)
    yield f"Name nas {version}{where}, the graph's digest above, and the data set with its licence."


def _times(model: "TrainedModel") -> str:
    times = len(model.states) * 2 ** len(model.mirrored)
    return f", and is looked at {times} times (members and mirrored copies)" if times > 1 else ""


def _counted(count: Any, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _by(sizes: tuple[int, ...]) -> str:
    return "x".join(map(str, sizes))
