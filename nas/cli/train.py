"""`nas train`: the network that stays."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from nas.cli.options import (
    ArtifactsOption,
    CacheOption,
    DeviceOption,
    DevicesOption,
    EngineOption,
    JsonOption,
    LengthOption,
    OwnDataOption,
    OwnSpaceOption,
    OwnWeightsOption,
    StorageOption,
    StudyName,
    TogetherOption,
    WorkersOption,
    machine_settings,
)
from nas.cli.output import OUT, print_json
from nas.cli.progress import Display
from nas.cli.stopping import resumable, stop_on
from nas.cli.studies import chosen, open_existing, weights_noted
from nas.study import DEFAULT_STORAGE


def train(
    study: StudyName = None,
    to: Annotated[Path, typer.Option(help="Folder to write: a new or an empty one, or an earlier model's.")] = Path(
        "model"
    ),
    trial: Annotated[int | None, typer.Option(help="Which network.", show_default="the best of the search")] = None,
    reference: Annotated[
        str | None, typer.Option(help="Which published network, instead.", show_default="the best of the search")
    ] = None,
    top: Annotated[int, typer.Option(help="So many of the best of the search, averaged.", min=1)] = 1,
    ensemble: Annotated[
        bool, typer.Option("--ensemble", help="A network for each fold, averaged; else one on all cases.")
    ] = False,
    seeds: Annotated[int, typer.Option(help="Trainings of each, averaged too.", min=1)] = 1,
    length: LengthOption = None,
    budget: TogetherOption = None,
    workers: WorkersOption = 1,
    device: DeviceOption = None,
    devices: DevicesOption = None,
    engine: EngineOption = "local",
    space: OwnSpaceOption = None,
    data: OwnDataOption = None,
    pretrained: OwnWeightsOption = None,
    cache: CacheOption = "runs/cache",
    storage: StorageOption = DEFAULT_STORAGE,
    artifacts: ArtifactsOption = None,
    json: JsonOption = False,
) -> None:
    """Train a network of a study to keep, and write the folder that nas predict, nas evaluate and nas export take.

    On all cases, those that were put aside too, or one for each fold, which nas confirm has trained already where the
    length is the same. The same command goes on after a stop.

    [bold]Examples[/bold]

      nas train unet_family-Hippocampus --to model --budget 1h

      nas train --trial 7 --ensemble --to model

      nas train --top 2 --workers 2 --budget 20m --to model
    """
    from nas.searching.afterwards.finishing import FinalSettings, train_finally
    from nas.searching.settings import parse_duration

    stop_on(signal.SIGTERM, signal.SIGUSR1)
    wishes = FinalSettings(
        trial=trial,
        reference=reference,
        top=top,
        together=ensemble,
        seeds=seeds,
        seconds=None if length is None else parse_duration(length, "length"),
        budget=None if budget is None else parse_duration(budget),
    )
    with open_existing(storage, artifacts) as opened, Display() as display, resumable(display):
        stored = weights_noted(chosen(opened, study), pretrained, cache)
        machine = machine_settings(stored.settings.space, space, data, workers, device, devices, engine, cache)
        model = train_finally(stored, wishes, machine, to, display)
    if json:
        print_json({"folder": str(to), "members": len(model.states), **model.provenance["trained"]})
        return
    members = f"{len(model.states)} networks, averaged" if len(model.states) > 1 else "one network"
    OUT.print(f"{to}: {members}; nas predict {to} --images DIR --to DIR", soft_wrap=True)
