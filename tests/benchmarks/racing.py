"""Racing over validation cases against successive halving, at equal cost, on a table.

    python -m tests.benchmarks.racing TABLE [--draws 500]

Both train so many random members to the first rung. Halving lets a quarter of them go on from each rung; racing stops
those that a paired test over the few cases of the rung finds worse than its best (one-sided t-test, 5%), and so keeps
however many it cannot tell apart. What counts is the final Dice of the best that was trained to the end.
"""

import argparse
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import ttest_rel

from nas.searching.tables.table import Row, load_table, mean_dice
from tests.benchmarks.measuring import show

RUNGS = (1 / 16, 1 / 4, 1.0)
LEVEL = 0.05
BEGUN = (4, 6, 8, 12, 16, 24, 32, 48, 64, 96)
"""How many members are begun."""
Rule = Callable[[Sequence[Row], int], list[Row]]
"""Who goes on, of those that stand at a look."""


def quarter(rows: Sequence[Row], look: int) -> list[Row]:
    """The best quarter, one at least."""
    ranked = sorted(rows, key=lambda row: -mean_dice(row.looks[look]))
    return ranked[: max(len(ranked) // 4, 1)]


def not_worse(rows: Sequence[Row], look: int) -> list[Row]:
    """All that the cases do not show to be worse than the best."""
    best = max(rows, key=lambda row: mean_dice(row.looks[look]))
    return [row for row in rows if row is best or not _is_worse(_cases(row, look), _cases(best, look))]


def _cases(row: Row, look: int) -> np.ndarray:
    return np.nanmean(np.array(row.looks[look]), axis=1)


def _is_worse(cases: np.ndarray, best: np.ndarray) -> bool:
    return bool(np.ptp(cases - best) > 0 and ttest_rel(cases, best, alternative="less").pvalue < LEVEL)


def played(rows: Sequence[Row], rule: Rule, looks: Sequence[int]) -> tuple[float, float]:
    """What was spent, in whole trainings, and the Dice of the best."""
    spent, before = 0.0, 0.0
    for rung, look in zip(RUNGS, looks, strict=False):
        spent += len(rows) * (rung - before)
        rows, before = rule(rows, look), rung
    return spent + len(rows) * (1 - before), max(row.dice for row in rows)


def main() -> None:
    """Draw, play, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--draws", type=int, default=500)
    given = parser.parse_args()
    table = load_table(given.table)
    looks = [table.making.rungs.index(rung) for rung in RUNGS[:-1]]
    members = [row for row in table.firsts.values() if row.dice == row.dice and len(row.looks) > max(looks)]
    best = max(row.dice for row in members)
    chance = np.random.default_rng(0)
    lines = []
    for begun in BEGUN:
        draws = [[members[i] for i in chance.choice(len(members), begun, replace=False)] for _ in range(given.draws)]
        for name, rule in (("halving", quarter), ("racing", not_worse)):
            spent, dice = np.array([played(draw, rule, looks) for draw in draws]).T
            lines.append((name, str(begun), f"{spent.mean():.1f}", f"{100 * (best - dice.mean()):.2f}"))
    show(
        f"{table.in_words}; {given.draws} draws",
        ("", "begun", "whole trainings spent", "Dice points from the best"),
        sorted(lines, key=lambda line: (line[0], float(line[2]))),
    )


if __name__ == "__main__":
    main()
