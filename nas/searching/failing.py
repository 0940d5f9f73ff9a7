"""When to stop: a search whose every training raises has a cause that the next proposal will not mend."""

import shlex

from nas.errors import InputError
from nas.study import claims
from nas.study.records import Evaluation, State
from nas.study.study import Study

MOST_FAILED = 5
"""So many trials may fail one after another, with none trained in between, until a search gives up."""


class FailureWatch:
    """Sees which trials of a study have failed since one was last trained, whoever trained it, from now on."""

    def __init__(self, study: Study):
        self._study = study
        self._complete, self._before = claims.outcomes(study)

    def look(self, complete: int, failed: int) -> None:
        """Look again, at what `claims.outcomes` counts now; to be called whenever a trial has ended.

        Raises:
            InputError: `MOST_FAILED` failed in a row; says why, where all is kept and how to go on.
        """
        if complete != self._complete:
            self._complete, self._before = complete, failed
        lately = failed - self._before
        if lately >= MOST_FAILED:
            raise InputError(_verdict(self._study.name, self._study.latest(State.FAILED, lately)))


def _verdict(study: str, failed: list[Evaluation]) -> str:
    """What to say of failed evaluations, the one that ended last coming first."""
    first = failed[-1]
    return (
        f"study {study!r}: {len(failed)} trials in a row failed and none was trained; "
        f"trial {first.trial}: {first.cause}\n"
        f"The tracebacks are kept: nas trials {shlex.quote(study)} --state failed --format json\n"
        "Mend the cause and give the same command again; what was finished is kept."
    )
