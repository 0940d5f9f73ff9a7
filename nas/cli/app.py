"""All commands together."""

from typing import Annotated

import typer

from nas.cli import (
    compare,
    confirm,
    data,
    evaluate,
    export,
    predict,
    report,
    schema,
    search,
    serving,
    showing,
    spaces,
    studies,
    tables,
    train,
    upkeep,
    worker,
)

app = typer.Typer(
    name="nas",
    help="Find the segmentation network that does best on your own scans.\n\n"
    "Begin with: nas search --space unet_family --trials 100",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("search")(search.search)
app.command("worker")(worker.worker)
app.command("dashboard")(serving.dashboard)
app.command("serve-storage")(serving.serve_storage)
app.add_typer(spaces.app, name="spaces")
data.app.command("show")(showing.show)
app.add_typer(data.app, name="data")
app.command("status")(studies.status)
app.command("trials")(upkeep.trials)
app.add_typer(upkeep.app, name="studies")
app.command("best")(studies.best)
app.command("report")(report.report)
app.command("confirm")(confirm.confirm)
app.command("train")(train.train)
app.command("export")(export.export)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.command("tabulate")(tables.tabulate)
app.command("compare")(compare.compare)
app.command("table")(tables.show)
app.command("replay")(tables.replay)
app.command("schema")(schema.schema)


def _version(wanted: bool) -> None:
    if wanted:
        from nas import __version__

        typer.echo(f"nas {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
