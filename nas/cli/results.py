"""What a study found, as tables."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group

from nas.cli.output import OUT, duration, short_count, table
from nas.study import DEFAULT_STORAGE
from nas.study.failures import typed
from nas.study.records import Evaluation
from nas.study.study import Study

_BEST_SHOWN = 5
_DIFFERENT = ("", "network", "Dice", "parameters", "MACs", "trained in", "trial")
_SAME = ("", "Dice", "trained in", "trial")
"""What there is to see where all trials train one network."""


def results_table(study: Study) -> Group:
    """The best networks beside the published ones, best first."""
    counts = study.counts()
    ranking = study.ranking(_BEST_SHOWN)
    published = {found.digest: found.reference for _, found in ranking if found.reference}
    alone = study.settings.plan.get("reference")
    what = "network" if alone is None else f"training of {next(iter(published.values()), alone)}"
    title = f"{study.name}: {_number(counts.complete, what)}"
    if alone is None:
        title += f" trained, {counts.infeasible} over a limit, {counts.duplicate} known"
    if study.settings.synthetic:
        title += "\nsynthetic data: the figures say nothing about real scans"
    columns = _SAME if alone else _DIFFERENT
    rows = []
    for rank, found in ranking:
        row = _row(rank, found, published)
        rows.append(tuple(row[name] for name in columns))
    return with_recipes(title, columns, rows, [found for _, found in ranking])


def with_recipes(
    title: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]], evaluations: Sequence[Evaluation]
) -> Group:
    """A table with a row for each evaluation, and what its recipe decided where recipes left something open."""
    if not any(found.decided_recipe for found in evaluations):
        return table(title, columns, rows)
    told = [recipe_in_words(found.decided_recipe) or "-" for found in evaluations]
    return table(title, (*columns, "recipe"), [(*row, words) for row, words in zip(rows, told, strict=True)])


def recipe_in_words(decided: Mapping[str, Any]) -> str:
    """Fields, without what they are a part of, and what was decided of them, in one line."""
    named = {path.rpartition(".")[2]: value for path, value in decided.items()}
    return ", ".join(
        f"{field} {value:.3g}" if isinstance(value, float) else f"{field} {value}" for field, value in named.items()
    )


def _number(count: int, what: str) -> str:
    noun, of, name = what.partition(" of ")
    return f"{count} {noun}{'' if count == 1 else 's'}{of}{name}"


def _row(rank: int, found: Evaluation, published: Mapping[str | None, str]) -> dict[str, str]:
    return {
        "": str(rank),
        "network": published.get(found.digest, "found by the search"),
        "Dice": f"{found.dice:.4f}",
        "parameters": short_count(found.parameters or 0),
        "MACs": short_count(found.macs or 0),
        "trained in": duration(found.seconds or 0),
        "trial": str(found.trial),
    }


def where_everything_is(study: Study) -> None:
    """Where the results lie and what to type next. No password is shown, and what is to be typed needs none in it."""
    storage, name, url = study.storage, study.name, study.storage.engine.url
    file = url.database if url.get_backend_name() == "sqlite" else None
    address = shlex.quote(typed(url))
    usual = file is not None and file.endswith(f"/{DEFAULT_STORAGE}")
    option = "" if usual else f" --storage {address if file is None else shlex.quote(file)}"
    lines = [
        f"study      {name} in {storage.address}",
        f"artifacts  {storage.shown_artifacts}/{name}",
        f"export     nas export {shlex.quote(name)} --to best{option}",
        f"dashboard  optuna-dashboard {address}    (pip install optuna-dashboard)",
    ]
    if url.password:
        lines.append(
            "password   not shown; both commands take it from the environment: read -rs PGPASSWORD; export PGPASSWORD"
        )
    for line in lines:
        OUT.print(line, soft_wrap=True, markup=False)
