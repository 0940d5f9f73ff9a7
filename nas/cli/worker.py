"""`nas worker`: one more process for a search, on this machine or another."""

import signal
from typing import Annotated

import typer

from nas.cli.options import ArtifactsOption, OwnWeightsOption, StorageOption
from nas.cli.output import ERR
from nas.cli.progress import Display
from nas.cli.stopping import STOPPED, stop_on
from nas.cli.studies import open_existing, weights_noted
from nas.study import DEFAULT_STORAGE


def worker(
    study: Annotated[str, typer.Option(help="Name of the study that nas search has made.")],
    storage: StorageOption = DEFAULT_STORAGE,
    artifacts: ArtifactsOption = None,
    data: Annotated[
        str | None, typer.Option(help="The study's data, where they lie here.", show_default="as stored")
    ] = None,
    pretrained: OwnWeightsOption = None,
    space: Annotated[str | None, typer.Option(help="The study's space, where it is a file: ./mine.py.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1.", show_default="a GPU if there is one")] = None,
    trials: Annotated[
        int | None, typer.Option(help="Different networks to train in all.", show_default="as stored", min=1)
    ] = None,
    cache: Annotated[str, typer.Option(help="Folder for preprocessed data.")] = "runs/cache",
    lease: Annotated[
        float, typer.Option(help="Seconds without a sign of life until a trial is taken over.", min=0.01)
    ] = 60.0,
    assignment: Annotated[
        int | None,
        typer.Option(
            help="Number of the runs that nas confirm or nas train wants, to work for them.", show_default="the search"
        ),
    ] = None,
    parent: Annotated[int | None, typer.Option(hidden=True)] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Train for a study that nas search has made: on another machine, under SLURM or Kubernetes.

    SIGTERM and SIGUSR1 end it; its trial is free at once for another worker, which goes on from the checkpoint.

    [bold]Example[/bold]

      nas worker --study unet_family-brain-synthetic --storage postgresql://me@host/nas
    """
    from nas.searching.worker import join
    from nas.study.sql.opening import open_study

    stop_on(signal.SIGTERM, signal.SIGUSR1)
    with open_existing(storage, artifacts) as opened, Display(silent=quiet) as display:
        try:
            join(
                weights_noted(open_study(opened, study), pretrained, cache),
                space=space,
                data=data,
                device=device,
                cache=cache,
                lease=lease,
                trials=trials,
                listener=display,
                starter=parent,
                assignment=assignment,
            )
        except KeyboardInterrupt:
            ERR.print("Stopped. The trial in hand waits for another worker.")
            raise typer.Exit(STOPPED) from None
