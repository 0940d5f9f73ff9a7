"""When to stop: a search whose every training raises has a cause that the next proposal will not mend."""

import shlex

from nas.errors import InputError
from nas.study.history import History, State, Trial

MOST_FAILED = 5
"""So many trials may fail one after another, with none trained in between, until a search gives up."""


def refuse_to_go_on(study: str, history: History, before: History = History()) -> None:  # noqa: B008 frozen
    """See which trials have failed since one was last trained, whoever trained it, after `before`.

    Raises:
        InputError: `MOST_FAILED` failed in a row; says why, where all is kept and how to go on.
    """
    known = {trial.number for trial in before.trials if trial.state in (State.FAILED, State.COMPLETE)}
    failed: list[Trial] = []
    for trial in history.in_the_order_of_results():
        if trial.number in known:
            continue
        if trial.state is State.FAILED:
            failed.append(trial)
        elif trial.state in (State.COMPLETE, State.PAUSED):
            failed.clear()
    if len(failed) >= MOST_FAILED:
        raise InputError(_verdict(study, failed))


def _verdict(study: str, failed: list[Trial]) -> str:
    return (
        f"study {study!r}: {len(failed)} trials in a row failed and none was trained; "
        f"trial {failed[0].number}: {failed[0].cause}\n"
        f"The tracebacks are kept: nas trials {shlex.quote(study)} --state failed --format json\n"
        "Mend the cause and give the same command again; what was finished is kept."
    )
