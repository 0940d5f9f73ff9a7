"""`nas search`: the main job."""

import signal
from typing import Annotated

import typer

from nas.cli.output import ERR, OUT, print_json
from nas.cli.parsing import parse_bytes, parse_count, parse_sizes
from nas.cli.progress import Display
from nas.cli.stopping import stop_on
from nas.cli.studies import StorageOption
from nas.study import DEFAULT_STORAGE


def search(
    space: Annotated[
        str | None,
        typer.Option(help="A shipped space, a plugin's, or a file such as ./mine.py.", show_default="unet_family"),
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="A folder of labelled images.", show_default="synthetic brain")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="How networks are trained: a shipped recipe or a TOML file.")
    ] = None,
    reference: Annotated[
        str | None, typer.Option(help="Train this published network alone, and search the recipe's open choices.")
    ] = None,
    slim: Annotated[
        int | None, typer.Option(help="Steps narrower than published that it is.", show_default="from the budget")
    ] = None,
    trials: Annotated[int | None, typer.Option(help="Different networks to train in all.", show_default="100")] = None,
    study: Annotated[
        str | None, typer.Option(help="Name of the study.", show_default="from space or recipe, and data")
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    budget: Annotated[
        str | None,
        typer.Option(help="Time for all trials: 90s, 15m, 4h, 2d. Fits the search to it.", show_default="15m"),
    ] = None,
    fold: Annotated[int, typer.Option(help="Which of the five folds validates, 0 to 4.")] = 0,
    seed: Annotated[int, typer.Option(help="Of proposals, weights and patches.")] = 0,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1.", show_default="a GPU if there is one")] = None,
    slices: Annotated[
        int | None, typer.Option(help="Train in 2D on slices of volumes, with so many neighbours as channels.")
    ] = None,
    patch: Annotated[str | None, typer.Option(help="Training patch, as 64,64.", show_default="from the data")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of each training.", show_default="from the budget")] = None,
    batch: Annotated[int | None, typer.Option(help="Patches a step.", show_default="from patch, data, memory")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    max_parameters: Annotated[str | None, typer.Option(help="Largest number of parameters, as 5M.")] = None,
    max_macs: Annotated[str | None, typer.Option(help="Most multiply-accumulates a patch, as 10G.")] = None,
    max_memory: Annotated[
        str | None, typer.Option(help="Most bytes to train, as 4G.", show_default="what is free")
    ] = None,
    workers: Annotated[int, typer.Option(help="How many processes train at once.")] = 1,
    devices: Annotated[str | None, typer.Option(help="Where they train, in turn: cuda:0,cuda:1.")] = None,
    engine: Annotated[str, typer.Option(help="local, or ray for a cluster (pip install 'nas\\[ray]').")] = "local",
    ray_address: Annotated[
        str | None, typer.Option(help="Of the Ray cluster.", show_default="a running or local one")
    ] = None,
    gpus_per_worker: Annotated[
        float | None,
        typer.Option(help="Part of a GPU for each worker on Ray, as 0.5.", show_default="1 with --device cuda"),
    ] = None,
    artifacts: Annotated[
        str | None,
        typer.Option(
            envvar="NAS_ARTIFACTS",
            help="Folder or URL of weights, which the database remembers.",
            show_default="beside it",
        ),
    ] = None,
    cache: Annotated[str, typer.Option(help="Folder for preprocessed data.")] = "runs/cache",
    lease: Annotated[float, typer.Option(help="Seconds without a sign of life until a trial is taken over.")] = 60.0,
    full_size: Annotated[
        bool, typer.Option("--full-size", help="Train published networks at their full width.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object at the end.")] = False,
) -> None:
    """Search a space for the network that does best on your data.

    Published networks are tried first, then Optuna proposes. The same command again goes on where it stopped.

    [bold]Examples[/bold]

      nas search --trials 20                     (built-in synthetic brain)

      nas search --data Task04_Hippocampus --trials 12 --budget 20m

      nas search --space ./mine.py --data DIR --max-parameters 2M

      nas search --recipe hippocampus --data Task04_Hippocampus

      nas search --recipe ./sweep.toml --reference "DeepLabv3+ R50" --data DIR --trials 30
    """
    from nas.cli.results import results_table, where_everything_is
    from nas.searching import SearchSettings
    from nas.searching import search as run

    given = {
        "space": space,
        "data": data,
        "recipe": recipe,
        "reference": reference,
        "slim": slim,
        "trials": trials,
        "study": study,
        "storage": storage,
        "budget": budget,
        "fold": fold,
        "seed": seed,
        "device": device,
        "slices": slices,
        "patch": None if patch is None else parse_sizes(patch, "--patch"),
        "steps": steps,
        "batch": batch,
        "learning_rate": learning_rate,
        "max_parameters": None if max_parameters is None else parse_count(max_parameters, "--max-parameters"),
        "max_macs": None if max_macs is None else parse_count(max_macs, "--max-macs"),
        "max_memory": None if max_memory is None else parse_bytes(max_memory, "--max-memory"),
        "workers": workers,
        "devices": devices,
        "engine": engine,
        "ray_address": ray_address,
        "gpus_per_worker": gpus_per_worker,
        "artifacts": artifacts,
        "cache": cache,
        "lease": lease,
        "full_size": full_size,
    }
    settings = SearchSettings.of(**{name: value for name, value in given.items() if value is not None})
    # A scheduler's signal ends a search as Ctrl-C does: the running trial is given back, all else is kept.
    stop_on(signal.SIGTERM, signal.SIGUSR1)
    with Display() as display:
        try:
            found = run(settings, listener=display)
        except KeyboardInterrupt:
            display.stop()
            ERR.print("\nStopped. Everything finished is kept; the same command goes on from here.")
            raise
    if json:
        print_json(found.summary())
        return
    OUT.print()
    OUT.print(results_table(found.study))
    OUT.print()
    where_everything_is(found.study)
