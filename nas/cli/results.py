"""What a study found, as tables."""

from rich.table import Table

from nas.cli.output import OUT, duration, short_count, table
from nas.study import DEFAULT_STORAGE
from nas.study.records import Evaluation
from nas.study.study import Study

_BEST_SHOWN = 5


def results_table(study: Study) -> Table:
    """The best networks beside the published ones, best first."""
    counts = study.counts()
    title = (
        f"{study.name}: {counts.complete} networks trained, {counts.infeasible} over a limit, {counts.duplicate} known"
    )
    if study.settings.synthetic:
        title += "\nsynthetic data: the figures say nothing about real scans"
    columns = ("", "network", "Dice", "parameters", "MACs", "trained in", "trial")
    return table(title, columns, [_row(rank, found) for rank, found in study.ranking(_BEST_SHOWN)])


def _row(rank: int, found: Evaluation) -> tuple[str, ...]:
    return (
        str(rank),
        found.reference or "found by the search",
        f"{found.dice:.4f}",
        short_count(found.parameters or 0),
        short_count(found.macs or 0),
        duration(found.seconds or 0),
        str(found.trial),
    )


def where_everything_is(study: Study) -> None:
    """Where the results lie and what to type next."""
    storage, name = study.storage, study.name
    file = storage.engine.url.database if storage.engine.url.get_backend_name() == "sqlite" else None
    option = "" if file is None or file.endswith(f"/{DEFAULT_STORAGE}") else f" --storage {file}"
    OUT.print(f"study      {name} in {storage.address}", soft_wrap=True)
    OUT.print(f"artifacts  {storage.artifacts / name}", soft_wrap=True)
    OUT.print(f"export     nas export {name} --to best{option}", soft_wrap=True)
    OUT.print(f"dashboard  optuna-dashboard {storage.address}    (pip install optuna-dashboard)", soft_wrap=True)
