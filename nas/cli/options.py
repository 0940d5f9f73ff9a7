"""Options that several commands take, and those that are fields of a search's settings."""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.parsing import parse_bytes, parse_count, parse_seconds, parse_sizes

if TYPE_CHECKING:
    from nas.searching import SearchSettings

StudyName = Annotated[str | None, typer.Argument(help="Name of the study.", show_default="the only one there is")]
StorageOption = Annotated[
    str, typer.Option(envvar="NAS_STORAGE", help="SQLite file or SQLAlchemy URL of the study database.")
]
ArtifactsOption = Annotated[
    str | None,
    typer.Option(
        envvar="NAS_ARTIFACTS",
        help="Folder or URL of weights, where it is another than nas search was given.",
        show_default="as remembered",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

LengthOption = Annotated[
    str | None, typer.Option(help="Time of each training: 90s, 15m, 4h.", show_default="the study's full length")
]
TogetherOption = Annotated[
    str | None, typer.Option(help="Time for all trainings together, instead.", show_default="none")
]
WorkersOption = Annotated[int, typer.Option(help="How many processes train at once.", min=1)]
DeviceOption = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1.", show_default="a GPU if there is one")]
DevicesOption = Annotated[str | None, typer.Option(help="Where workers train, in turn: cuda:0,cuda:1.")]
EngineOption = Annotated[str, typer.Option(help="local, or ray for a cluster.")]
OwnSpaceOption = Annotated[
    str | None, typer.Option(help="The study's space, where it is a file: ./mine.py.", show_default="as stored")
]
OwnDataOption = Annotated[
    str | None, typer.Option(help="The study's data, where they lie here.", show_default="as stored")
]
OwnWeightsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--pretrained",
        help="The weights that the study begins with, where they lie here; noted in the study.",
        show_default="as stored",
    ),
]
CacheOption = Annotated[str, typer.Option(help="Folder for preprocessed data.")]

_PARSERS: dict[str, Callable[[str, str], Any]] = {
    "sizes": parse_sizes,
    "count": parse_count,
    "bytes": parse_bytes,
    "seconds": parse_seconds,
}


def parameters_of_settings() -> list[inspect.Parameter]:
    """The fields of `SearchSettings` as parameters that Typer reads: name, type, default, help, environment.

    Whatever has a default that a recipe may set is None where it is not typed.
    """
    from dataclasses import fields

    from nas.searching.settings import SearchSettings, kinds

    parameters = []
    for item in fields(SearchSettings):
        facts, flag = item.metadata, item.default is False
        kind = str if facts["typed"] else kinds(item.name)[0]
        names = [f"--{item.name.replace('_', '-')}"] if flag else []
        details = typer.Option(
            *names,
            help=facts["help"].replace("[", "\\["),
            show_default=facts["shown"] or (False if item.default is None else str(item.default)),
            envvar=facts["environment"],
        )
        annotation = Annotated[kind if flag else kind | None, details]  # type: ignore[valid-type]
        parameters.append(
            inspect.Parameter(
                item.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=False if flag else None,
                annotation=annotation,
            )
        )
    return parameters


def settings_of(values: dict[str, Any]) -> "SearchSettings":
    """The settings that options were typed for.

    Raises:
        InputError: a value that cannot be used.
    """
    from dataclasses import fields

    from nas.searching.settings import SearchSettings

    typed_values = {}
    for item in fields(SearchSettings):
        value = values[item.name]
        if value is None or value is False:
            continue
        typed = item.metadata["typed"]
        typed_values[item.name] = _PARSERS[typed](value, f"--{item.name.replace('_', '-')}") if typed else value
    return SearchSettings.of(**typed_values)


def machine_settings(
    stored: str,
    space: str | None,
    data: str | None,
    workers: int,
    device: str | None,
    devices: str | None,
    engine: str,
    cache: str,
) -> "SearchSettings":
    """Where trainings beside a search run, in the words of a search."""
    from nas.searching.settings import SearchSettings

    return SearchSettings(
        space=space or stored,
        data=data,
        workers=workers,
        device=device,
        devices=devices,
        engine=engine,
        cache=cache,
    )
