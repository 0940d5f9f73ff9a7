"""Which choices mattered: Optuna's PED-ANOVA for conditional spaces (arXiv:2601.20800)."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from nas.report.figures import Missing
from nas.report.figures._look import BLUE, axis, figure, plain
from nas.report.material import ENOUGH, Material
from nas.report.table import Table
from nas.report.table import table as table_of
from nas.study.history import Trial

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from plotly.graph_objects import Figure

PLACE, TITLE, HEIGHT = 60, "Which choices mattered", 480
_BEST = 0.1
_AT_LEAST = 5
"""Networks that the best part should hold; so says Optuna."""
_COMMON = 0.05
"""Of the networks, so many must have a choice: of rarer ones nothing can be said."""
_MOST = 500
"""Networks that are looked at: Optuna copies each one, choice by choice."""
_SHOWN = 15
_WIDE = 8
"""A range whose end is so many times its beginning is looked at by magnitudes."""


@dataclass(frozen=True)
class Importance:
    """How much a choice mattered, of 1 in all, and in how many networks it was there to be made."""

    path: str
    share: float
    networks: int


@dataclass(frozen=True)
class Importances:
    """Of all choices, the most important first. best: the part of the networks that is explained."""

    choices: tuple[Importance, ...]
    networks: int
    best: float
    stage: str


@lru_cache(maxsize=1)  # two figures show it, and of many trials it takes as long as all else together
def values(material: Material) -> Importances | Missing:
    """What being among the best tenth depended on."""
    sample = material.sample
    known = [trial for trial in sample.trials if trial.decisions and material.value(trial) is not None]
    trials = known[:: -(-len(known) // _MOST) or 1]  # evenly from the best to the worst
    if len(trials) < ENOUGH:
        return Missing(
            f"With {len(trials)} networks {sample.stage} nothing can be said of what mattered; it takes {ENOUGH}."
        )
    best = max(_BEST, _AT_LEAST / len(trials))
    losses = [material.goals[0].loss(trial) for trial in trials]
    shares = _evaluated(trials, losses, best)
    total = sum(shares.values())
    if not total:
        return Missing("No choice differs between these networks.")
    present = {path: sum(path in (trial.decisions or {}) for trial in trials) for path in shares}
    choices = tuple(Importance(path, share / total, present[path]) for path, share in shares.items() if share > 0)
    return Importances(choices, len(trials), best, sample.stage)


def _evaluated(trials: Sequence[Trial], losses: Sequence[float], best: float) -> Mapping[str, float]:
    import optuna

    distributions = _distributions(trials)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="minimize")
    study.add_trials(
        [
            optuna.trial.create_trial(
                params={
                    path: _scalar(value) for path, value in (trial.decisions or {}).items() if path in distributions
                },
                distributions={path: distributions[path] for path in trial.decisions or {} if path in distributions},
                value=loss,
            )
            for trial, loss in zip(trials, losses, strict=True)
        ]
    )
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=best)
    with warnings.catch_warnings():  # of choices that few networks had: their shares are small and counted beside them
        warnings.simplefilter("ignore")
        return evaluator.evaluate(study)


def _distributions(trials: Sequence[Trial]) -> dict[str, "BaseDistribution"]:
    """What each choice was seen to be: the study's space may be a file of somebody's own, which is not asked here."""
    seen: dict[str, list[Any]] = {}
    for trial in trials:
        for path, value in (trial.decisions or {}).items():
            seen.setdefault(path, []).append(_scalar(value))
    least = max(len(trials) * _COMMON, _AT_LEAST)
    return {
        path: _distribution(values) for path, values in seen.items() if len(set(values)) > 1 and len(values) >= least
    }


def _scalar(value: Any) -> Any:
    """Whether something is so is a name like any other; so is what an option is not."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _distribution(values: Sequence[Any]) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if any(isinstance(value, str) for value in values):
        return CategoricalDistribution(sorted(set(values), key=str))
    low, high = min(values), max(values)
    log = low > 0 and high >= _WIDE * low
    kind = IntDistribution if all(isinstance(value, int) for value in values) else FloatDistribution
    return kind(low, high, log=log)


def words(values: Importances) -> str:
    """The choices that mattered most."""
    first = ", ".join(f"{choice.path} ({choice.share:.0%})" for choice in values.choices[:3])
    return (
        f"Whether one of {values.networks} networks {values.stage} is among the best {values.best:.0%} depended "
        f"most on {first}. Choices that only some networks have count by how many had them. The search itself "
        "preferred what it took for good, which makes choices that it settled early look less important."
    )


def table(values: Importances) -> Table:
    """A row for each choice."""
    columns = ("choice", "importance (share)", "networks that had it")
    return table_of(columns, [(choice.path, choice.share, choice.networks) for choice in values.choices])


def draw(values: Importances) -> "Figure":
    """A bar for each of the most important choices."""
    from plotly.graph_objects import Bar

    shown = values.choices[:_SHOWN][::-1]
    bar = Bar(
        x=[choice.share for choice in shown],
        y=[plain(choice.path, 44) for choice in shown],
        orientation="h",
        marker={"color": BLUE},
        text=[f"{choice.share:.0%}" for choice in shown],
        textposition="outside",
        cliponaxis=False,
        hovertext=[f"{plain(choice.path)}<br>in {choice.networks} of {values.networks} networks" for choice in shown],
        hoverinfo="text",
    )
    return figure(
        [bar],
        xaxis=axis("Importance (share of all choices)", tickformat=".0%"),
        yaxis=axis("", tickfont={"size": 11}),
        showlegend=False,
    )
