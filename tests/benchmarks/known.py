"""How many proposals are known already, while more and more of a space is: python -m tests.benchmarks.known [STRATEGY].

The space is `small_volumes`; what its members reach is made up, and nothing is trained.
"""

import sys
from datetime import UTC, datetime
from random import Random

from nas.catalog import load_space
from nas.searching.candidates import candidates_of
from nas.searching.strategies import Done, Start
from nas.searching.strategies.counted import Counted
from nas.searching.strategies.proposers import PROPOSERS, Ground
from nas.study.history import Document, History, Run, RunKey, State, Trial
from nas.study.objective import DICE
from nas.training import load_recipe
from tests.searching.tables.synthetic import synthetic

SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    """Propose until nine tenths of the space are known; print what was known at each share."""
    name = sys.argv[1] if len(sys.argv) > 1 else "tree_parzen"
    rows = {_key(row.decisions): row for row in synthetic().rows}
    candidates = candidates_of(load_space("small_volumes"), load_recipe("small_volumes").recipe)

    def identify(decisions: Document) -> tuple[str | None, str | None]:
        row = rows[_key(decisions)]
        return row.digest, row.recipe_digest

    strategy = Counted(PROPOSERS[name](Ground(candidates, DICE, identify)), len(rows))
    history, trained, shares = History(), set[str](), list(SHARES)
    while shares:
        action = strategy.next(history, 0, Random(len(history.trials)))
        if isinstance(action, Done):
            print(f"{name}: {action.reason} at {len(trained)} of {len(rows)}")
            return
        assert isinstance(action, Start)
        row = rows[_key(action.decisions)]
        trial = _trial(len(history.trials), action, row.digest, row.dice, known=row.digest in trained)
        trained.add(row.digest)
        history = history.grown([trial], trial.number + 1)
        if len(trained) >= shares[0] * len(rows):
            known = len(history.trials) - len(trained)
            print(
                f"{name}: {len(trained)} of {len(rows)} members known after {len(history.trials)} proposals, "
                f"{known} of which were known ({known / len(history.trials):.0%})",
                flush=True,
            )
            shares.pop(0)


def _key(decisions: Document) -> frozenset[tuple[str, object]]:
    return frozenset(decisions.items())


def _trial(number: int, action: Start, digest: str, dice: float, *, known: bool) -> Trial:
    run = Run(
        id=number, trial=number, key=RunKey(), state=State.COMPLETE, reason=None, values={"dice": dice}, steps=None,
        seconds=10.0, peak_bytes=None, device=None, worker=None, started=_NOW, finished=_NOW,
    )  # fmt: skip
    refusal = State.DUPLICATE if known else None
    return Trial(
        number=number, decisions=action.decisions, digest=digest, recipe_digest="r", parent=action.parent,
        refusal=refusal, runs=() if known else (run,),
    )  # fmt: skip


if __name__ == "__main__":
    main()
