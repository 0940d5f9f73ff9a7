"""`nas search`: the main job."""

import inspect
import signal
from typing import Annotated, Any

import typer

from nas.cli import STARTED
from nas.cli.options import parameters_of_settings, settings_of
from nas.cli.output import OUT, print_json
from nas.cli.progress import Display
from nas.cli.stopping import resumable, stop_on


def search(json: bool, **values: Any) -> None:
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
    from nas.searching.launch import search as run

    settings = settings_of(values)
    # A scheduler's signal ends a search as Ctrl-C does: the running trial is given back, all else is kept.
    stop_on(signal.SIGTERM, signal.SIGUSR1)
    with Display(as_json=json) as display, resumable(display):
        opened = run(settings, listener=display, began=STARTED)
    if json:
        print_json(opened.summary())
        return
    OUT.print()
    OUT.print(results_table(opened.study))
    OUT.print()
    where_everything_is(opened.study)


_JSON = inspect.Parameter(
    "json",
    inspect.Parameter.KEYWORD_ONLY,
    default=False,
    annotation=Annotated[
        bool,
        typer.Option(
            "--json", help="Print one JSON object at the end, and how it goes as JSON lines on standard error."
        ),
    ],
)
search.__signature__ = inspect.Signature([*parameters_of_settings(), _JSON])  # type: ignore[attr-defined]
search.__annotations__ = {  # where Typer looks for the types
    parameter.name: parameter.annotation for parameter in inspect.signature(search).parameters.values()
}
