"""Free scores of a table's members, held against what parameters and MACs say."""

from collections.abc import Callable, Sequence

import torch

from nas.errors import InputError, field_named
from nas.network import build
from nas.searching.candidates import graph_of
from nas.searching.scores import Batch, Loss, score_names, score_of
from nas.searching.tables.signals import Signal, signal
from nas.searching.tables.table import Row, Table
from nas.searching.tables.training import Workshop
from nas.training.feed import Feed
from nas.training.losses import supervised

BATCHES = 4
"""Drawn as for training; all scores see the same."""


def free_scores(
    table: Table, shop: Workshop, done: Callable[[int, int], None] = lambda count, total: None
) -> list[Signal]:
    """Every score's rank correlation with the final Dice of the table's members.

    Raises:
        InputError: the data are not those of the table.
    """
    if shop.fingerprint.digest != table.making.data_digest:
        raise InputError(
            f"{field_named('data')}: {shop.fingerprint.name} is not what table {table.name!r} was made with; "
            f"give {table.making.data}"
        )
    rows = [row for row in table.firsts.values() if row.dice == row.dice]
    values: dict[str, list[float]] = {name: [] for name in score_names()}
    for count, row in enumerate(rows, 1):
        for name, value in _scored(row, shop).items():
            values[name].append(value)
        done(count, len(rows))
    return [signal(name, found, [row.dice for row in rows]) for name, found in values.items()]


def _scored(row: Row, shop: Workshop) -> dict[str, float]:
    candidate = shop.candidates.decide(row.decisions)
    graph, reason = graph_of(candidate.architecture, shop.task)
    assert graph is not None, reason
    recipe, targets = candidate.recipe, shop.cases.targets
    with Feed(shop.cases.training, shop.task.patch, recipe, torch.device("cpu"), seed=0) as feed:
        batches: Sequence[Batch] = [feed.batch(step) for step in range(BATCHES)]
    loss: Loss = supervised(recipe.loss, recipe.supervision, targets)
    return {name: score_of(name).score(build(graph, seed=0), batches, loss) for name in score_names()}
