"""A worker as a process of its own, which keeps a checkpoint of every step and, where told to, dies at one of them.

`python -m tests.searching.mortal STORAGE STUDY TRIALS [STEP]` prints each step of training once it is done.
"""

import os
import signal
import sys

import torch
from nas.searching.joining import join
from nas.study.opening import open_study
from nas.study.storage import open_storage

from nas.searching import measuring
from nas.searching.events import Event, Working


def main(storage: str, study: str, trials: str, last: str = "") -> None:
    """Work until so many networks are trained; SIGKILL after the last step, before its checkpoint is written."""

    def listen(event: Event) -> None:
        if not isinstance(event, Working) or event.what != "training":
            return
        print(event.done, flush=True)
        if str(event.done) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    torch.set_num_threads(1)
    measuring.SECONDS_BETWEEN_CHECKPOINTS = 0.0
    with open_storage(storage, create=False) as opened:
        join(open_study(opened, study), trials=int(trials), device="cpu", lease=30, listener=listen)


if __name__ == "__main__":
    main(*sys.argv[1:])
