"""`nas worker`: one more process for a search, on this machine or another."""

import os
import signal
from typing import Annotated

import typer

from nas.cli.output import ERR
from nas.cli.progress import Display
from nas.cli.stopping import STOPPED, stop_on
from nas.cli.studies import ArtifactsOption, StorageOption, open_existing
from nas.study import DEFAULT_STORAGE


def worker(
    study: Annotated[str, typer.Option(help="Name of the study that nas search has made.")],
    storage: StorageOption = DEFAULT_STORAGE,
    artifacts: ArtifactsOption = None,
    data: Annotated[
        str | None, typer.Option(help="The study's data, where they lie here.", show_default="as stored")
    ] = None,
    space: Annotated[str | None, typer.Option(help="The study's space, where it is a file: ./mine.py.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1.", show_default="a GPU if there is one")] = None,
    trials: Annotated[
        int | None, typer.Option(help="Different networks to train in all.", show_default="as stored")
    ] = None,
    cache: Annotated[str, typer.Option(help="Folder for preprocessed data.")] = "runs/cache",
    lease: Annotated[float, typer.Option(help="Seconds without a sign of life until a trial is taken over.")] = 60.0,
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Train for a study that nas search has made: on another machine, under SLURM or Kubernetes.

    SIGTERM and SIGUSR1 end it; its trial is free at once for another worker, which goes on from the checkpoint.

    [bold]Example[/bold]

      nas worker --study unet_family-brain-synthetic --storage postgresql://me@host/nas
    """
    from nas.searching.events import silent
    from nas.searching.joining import join
    from nas.study.opening import open_study

    stop_on(signal.SIGTERM, signal.SIGUSR1)
    orphaned = (lambda: os.kill(os.getpid(), signal.SIGTERM)) if child else None
    with open_existing(storage, artifacts) as opened:
        found = open_study(opened, study)
        options = {
            "cache": cache,
            "space": space,
            "data": data,
            "device": device,
            "lease": lease,
            "trials": trials,
            "checked": child,
        }
        try:
            if quiet:
                join(found, **options, listener=silent, orphaned=orphaned)  # type: ignore[arg-type]
                return
            with Display() as display:
                join(found, **options, listener=display, orphaned=orphaned)  # type: ignore[arg-type]
        except KeyboardInterrupt:
            ERR.print("Stopped. The trial in hand waits for another worker.")
            raise typer.Exit(STOPPED) from None
