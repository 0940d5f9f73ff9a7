"""What to type to go on from a report, and what it was made with."""

import shlex
from collections.abc import Iterator

from nas.report.material import Material
from nas.study.history import Document
from nas.wording import percent


def commands(material: Material) -> tuple[tuple[str, str], ...]:
    """Commands with what each one does."""
    name, option = shlex.quote(material.settings.name), _storage(material)
    rows = [("go on with the search, or do it again elsewhere", _search(material))]
    if material.winner is not None:
        rows += [
            ("write the winner as PyTorch source with its weights", f"nas export {name} --to best{option}"),
            ("write it as a model that nas predict takes", f"nas export {name} --as model --to model{option}"),
            ("segment new images with that", "nas predict model --images IMAGES --to segmentations"),
        ]
    rows.append(("make this page again", f"nas report {name} --to report.html{option}"))
    rows.append(("look at all trials in a browser", f"nas dashboard {name}{option}"))
    return tuple(rows)


def _search(material: Material) -> str:
    settings = material.settings
    words = ["nas", "search", "--space", settings.space]
    if settings.data_source is not None:
        words += ["--data", settings.data_source]
    if settings.plan.get("reference"):
        words += ["--reference", str(settings.plan["reference"])]
    chosen = settings.recipe.get("pretrained")
    weights = (settings.plan.get("pretrained") or {}).get(chosen) if isinstance(chosen, str) else None
    if weights:
        words += ["--pretrained", str(weights if isinstance(weights, str) else weights[0])]
    words += ["--study", settings.name]
    schedule, wanted = settings.plan.get("schedule"), settings.plan.get("trials")
    if settings.plan.get("budget"):
        words += ["--budget", str(settings.plan["budget"])]
    if schedule is None and (material.wanted or wanted):
        words += ["--trials", str(material.wanted or wanted)]
    for name, value, usual in (("fold", settings.fold, 0), ("seed", settings.seed, 0)):
        if value != usual:
            words += [f"--{name}", str(value)]
    return " ".join(shlex.quote(word) for word in words) + _storage(material)


def _storage(material: Material) -> str:
    return f" --storage {shlex.quote(material.storage)}" if material.storage else ""


def circumstances(material: Material) -> tuple[tuple[str, str], ...]:
    """Versions, seeds, digests and what was fitted to the machine."""
    return tuple(_circumstances(material))


def _circumstances(material: Material) -> Iterator[tuple[str, str]]:
    settings = material.settings
    yield "study", settings.name
    yield "seed", str(settings.seed)
    yield "fold that validates", str(settings.fold)
    for name, version in settings.versions.items():
        yield f"version of {name}", str(version)
    yield "device", settings.device
    yield "space", f"{settings.space}, digest {settings.space_digest[:16]}"
    yield "data", f"{settings.data}, digest {settings.data_digest[:16]}"
    yield "patch", _sizes(settings.task.get("patch"))
    if len(settings.rungs) > 1:
        yield "lengths of training", ", ".join(f"{percent(share)}" for share in settings.rungs)
    seconds = settings.plan.get("seconds_each")
    if seconds:
        yield "seconds for each network", f"{seconds:.0f}"
    yield from _limits(settings.plan.get("limits") or {})
    yield from _recipe(settings.recipe)


def _limits(limits: Document) -> Iterator[tuple[str, str]]:
    for name, value in limits.items():
        if value is not None:
            yield f"limit of {name}", f"{value:,.0f}"


def _recipe(recipe: Document) -> Iterator[tuple[str, str]]:
    for name, value in recipe.items():
        if isinstance(value, dict):
            inner = ", ".join(f"{key} {item}" for key, item in value.items() if key != "kind" and item is not None)
            kind = value.get("kind", "")
            yield f"recipe: {name}", f"{kind} ({inner})" if kind and inner else str(kind or inner)
        elif value is not None:
            yield f"recipe: {name}", str(value)


def _sizes(sizes: object) -> str:
    return " × ".join(map(str, sizes)) if isinstance(sizes, list | tuple) else "unknown"
