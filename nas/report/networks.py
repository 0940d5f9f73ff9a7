"""What a reader is told of a single network when it is chosen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nas.report.figures.curves import curve_of
from nas.report.figures.rungs import value_at
from nas.report.material import Material
from nas.study.history import ENDED, State, Trial
from nas.wording import duration, metric_name, percent, short_count

MOST = 2_000
"""Networks whose details are on the page; of more, the best."""
_LONGEST = 300


@dataclass(frozen=True)
class Network:
    """A trial in words. drawing: whether there is one. curves: by metric, what was measured on the way."""

    number: int
    name: str
    facts: tuple[tuple[str, str], ...]
    decisions: tuple[tuple[str, str], ...]
    curves: tuple[tuple[str, tuple[tuple[int, float], ...]], ...]


def to_json(chosen: Sequence[Network]) -> dict[str, Any]:
    """Networks as the page's script reads them: what occurs again and again stands in a list, by its place."""
    words: dict[str, int] = {}

    def place(text: str) -> int:
        return words.setdefault(text, len(words))

    described = [
        {
            "number": network.number,
            "name": network.name,
            "facts": [[place(name), text] for name, text in network.facts],
            "decisions": [[place(name), place(text)] for name, text in network.decisions],
            "curves": [[place(name), [x for x, _ in points], _rounded(points)] for name, points in network.curves],
        }
        for network in chosen
    ]
    return {"words": list(words), "networks": described}


def _rounded(points: Sequence[tuple[int, float]]) -> list[float]:
    return [float(f"{y:.3g}") for _, y in points]


def networks(material: Material) -> tuple[Network, ...]:
    """The networks that can be chosen: those that were trained, the best first, and those in training."""
    trained = {trial.number: trial for trial in (*material.order, *material.trained, *material.underway)}
    ranks = {trial.number: rank for rank, trial in enumerate(material.order, 1)}
    return tuple(_network(material, trial, ranks.get(trial.number)) for trial in list(trained.values())[:MOST])


def _network(material: Material, trial: Trial, rank: int | None) -> Network:
    decisions = tuple((path, str(value)) for path, value in (trial.decisions or {}).items())
    curves = ((metric, curve_of(material, trial, metric)) for metric in ("loss", f"training_{material.metric}"))
    return Network(
        trial.number,
        material.name(trial),
        tuple(_facts(material, trial, rank)),
        decisions,
        tuple((name, points) for name, points in curves if points),
    )


def _facts(material: Material, trial: Trial, rank: int | None) -> Iterator[tuple[str, str]]:
    if rank is not None:
        yield "rank", f"{rank} of {len(material.order)}"
    for goal in material.goals:
        value = goal.value(trial)
        if value is not None:
            yield metric_name(goal.metric), f"{value:.4f}" if abs(value) < 1000 else short_count(value)
    same = material.names_of_digests.get(trial.digest)
    yield "kind", f"published: {same}" if same else "proposed by the search"
    if trial.parameters is not None:
        yield "parameters", short_count(trial.parameters)
    if trial.macs is not None:
        yield "multiply-accumulates a patch", short_count(trial.macs)
    if trial.training_bytes is not None:
        yield "memory to train a patch", f"{short_count(trial.training_bytes)}B".replace("  ", " ")
    if trial.seconds:
        yield "trained in", duration(trial.seconds)
    if trial.state is not State.COMPLETE:
        yield "state", str(trial.state)
    if trial.parent is not None:
        yield "changed from", f"trial {trial.parent}"
    if len(material.settings.rungs) > 1:
        yield "at its rungs", ", ".join(_at_rungs(material, trial)) or "nothing yet"
    if trial.explanation:
        yield "note", trial.cause[:_LONGEST]
    if trial.digest:
        yield "digest", trial.digest[:16]


def _at_rungs(material: Material, trial: Trial) -> Iterator[str]:
    shares = material.settings.rungs
    for run in trial.line:
        value = value_at(run, material.metric)
        if run.state in ENDED and value is not None and run.key.rung < len(shares):
            yield f"{value:.4f} after {percent(shares[run.key.rung])}"
