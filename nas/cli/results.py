"""What a study found, as tables."""

import shlex
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from rich.console import Group

from nas.cli.output import OUT, duration, measured, metric_name, short_count, table
from nas.study import DEFAULT_STORAGE
from nas.study.history import Trial
from nas.study.looks import held_out, in_words
from nas.study.objective import Objective
from nas.study.sql.errors import typed
from nas.study.sql.storage import Storage
from nas.study.sql.study import SqlStudy

_BEST_SHOWN = 5
_DIFFERENT = ("", "network", "{metrics}", "length", "parameters", "MACs", "trained in", "trial")
_SAME = ("", "{metrics}", "length", "trained in", "trial")
"""What there is to see where all trials train one network."""


def results_table(study: SqlStudy) -> Group:
    """The best networks beside the published ones, best first."""
    glance, goals = study.glance(_BEST_SHOWN), study.settings.goals
    counted, order = glance.counts, glance.leaders
    published = {trial.digest: trial.reference for _, trial in order if trial.reference}
    alone = study.settings.plan.get("reference")
    what = "network" if alone is None else f"training of {next(iter(published.values()), alone)}"
    title = f"{study.name}: {_number(counted.complete, what)}"
    rungs = study.settings.rungs
    if alone is None:
        title += " trained" if len(rungs) == 1 else f" trained to full length, {counted.paused} briefly"
        title += f", {counted.infeasible} over a limit, {counted.duplicate} known"
    if counted.diverged:
        title += f", {counted.diverged} diverged"
    if study.settings.synthetic:
        title += "\nsynthetic data: the figures say nothing about real scans"
    metrics = [metric_name(goal.metric) for goal in goals]
    wanted = [name for name in (_SAME if alone else _DIFFERENT) if name != "length" or len(rungs) > 1]
    columns = [name for column in wanted for name in _columns(column, metrics)]
    rows = []
    for rank, trial in order:
        row = _row(rank, trial, published) | _measured(trial, goals) | {"length": _length(trial, rungs)}
        rows.append(tuple(row[name] for name in columns))
    return with_recipes(title, columns, rows, [trial for _, trial in order])


def _length(trial: Trial, rungs: Sequence[float]) -> str:
    """How far a trial was trained, as a share of a whole training."""
    share = Fraction(rungs[trial.latest.key.rung]) if trial.latest else Fraction(1)
    return "full" if share >= 1 else str(share.limit_denominator(10_000))


def front_table(study: SqlStudy, trials: Sequence[Trial]) -> Group:
    """Networks that no other one beats in every objective."""
    goals = study.settings.goals
    metrics = [metric_name(goal.metric) for goal in goals]
    costs = [name for name in ("parameters", "MACs") if name.lower() not in {goal.metric for goal in goals}]
    columns = ["network", *metrics, *costs, "trial"]
    published = {trial.digest: trial.reference for trial in trials if trial.reference}
    rows = []
    for trial in trials:
        row = _row(0, trial, published) | _measured(trial, goals)
        rows.append(tuple(row[name] for name in columns))
    title = f"{study.name}: {_number(len(trials), 'network')} that no other one beats in {' and '.join(metrics)}"
    return with_recipes(title, columns, rows, trials)


def with_recipes(title: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]], trials: Sequence[Trial]) -> Group:
    """A table with a row for each trial, and what its recipe decided where recipes left something open."""
    if not any(trial.recipe_decisions for trial in trials):
        return table(title, columns, rows)
    words = [recipe_in_words(trial.recipe_decisions) or "-" for trial in trials]
    return table(title, (*columns, "recipe"), [(*row, recipe) for row, recipe in zip(rows, words, strict=True)])


def recipe_in_words(decided: Mapping[str, Any]) -> str:
    """Fields, without what they are a part of, and what was decided of them, in one line."""
    named = {path.rpartition(".")[2]: value for path, value in decided.items()}
    return ", ".join(
        f"{field} {value:.3g}" if isinstance(value, float) else f"{field} {value}" for field, value in named.items()
    )


def _number(count: int, what: str) -> str:
    noun, of, name = what.partition(" of ")
    return f"{count} {noun}{'' if count == 1 else 's'}{of}{name}"


def _columns(column: str, metrics: Sequence[str]) -> Sequence[str]:
    return metrics if column == "{metrics}" else [column]


def _measured(trial: Trial, goals: Sequence[Objective]) -> dict[str, str]:
    values = {goal.metric: goal.value(trial) for goal in goals}
    return {metric_name(metric): "-" if value is None else measured(metric, value) for metric, value in values.items()}


def _row(rank: int, trial: Trial, published: Mapping[str | None, str]) -> dict[str, str]:
    return {
        "": str(rank),
        "network": published.get(trial.digest, "found by the search"),
        "parameters": short_count(trial.parameters or 0),
        "MACs": short_count(trial.macs or 0),
        "trained in": duration(trial.seconds),
        "trial": str(trial.number),
    }


def where_everything_is(study: SqlStudy) -> None:
    """Where the results lie and what to type next. No password is shown, and what is to be typed needs none in it."""
    storage, name, url = study.storage, study.name, study.storage.engine.url
    to_type = storage_to_type(storage)
    option = f" --storage {shlex.quote(to_type)}" if to_type else ""
    lines = [
        f"study      {name} in {storage.address}",
        f"artifacts  {storage.shown_artifacts}",
        f"export     nas export {shlex.quote(name)} --to best{option}",
        f"report     nas report {shlex.quote(name)} --to report.html{option}",
        f"dashboard  nas dashboard {shlex.quote(name)}{option}    (pip install 'nas[dashboard]')",
    ]
    together = study.settings.together
    if together:
        lines.insert(
            2,
            f"together   Dice {together['dice']:.4f}, the best {len(together['trials'])} averaged:    "
            f"nas export {shlex.quote(name)} --top {len(together['trials'])} --as model --to both{option}",
        )
    looks = held_out(study)
    if looks["cases"]:
        lines.insert(0, f"held out   {in_words(looks['cases'], looks['looks'])}")
    if url.password:
        lines.append(
            "password   not shown; both commands take it from the environment: read -rs PGPASSWORD; export PGPASSWORD"
        )
    for line in lines:
        OUT.print(line, soft_wrap=True, markup=False)


def storage_to_type(storage: Storage) -> str:
    """What `--storage` has to be for a storage, without its password; "" where it is the usual place."""
    url = storage.engine.url
    file = url.database if url.get_backend_name() == "sqlite" else None
    if file is None:
        return typed(url)
    return "" if file.endswith(f"/{DEFAULT_STORAGE}") else file
