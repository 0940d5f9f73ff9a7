"""`nas status`, `nas best`: what studies hold."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.output import OUT, print_json, table
from nas.errors import InputError
from nas.study import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.study.storage import Storage
    from nas.study.study import Study

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

_STATUS = ("study", "trained", "running", "infeasible", "failed", "best Dice")


def status(study: StudyName = None, storage: StorageOption = DEFAULT_STORAGE, json: JsonOption = False) -> None:
    """How far studies are: all of them, or one with its results.

    [bold]Example[/bold]

      nas status unet_family-brain-synthetic
    """
    from nas.cli.results import results_table, where_everything_is
    from nas.study.opening import list_studies, open_study

    with open_existing(storage) as opened:
        if study is None:
            studies = list_studies(opened)
            if json:
                print_json({"storage": opened.address, "studies": [_status(found) for found in studies]})
                return
            rows = [_status_row(_status(found)) for found in studies]
            OUT.print(table(f"studies in {opened.address}", _STATUS, rows))
            return
        found = open_study(opened, study)
        if json:
            print_json(_status(found))
            return
        OUT.print(results_table(found))
        OUT.print()
        where_everything_is(found)


def best(study: StudyName = None, storage: StorageOption = DEFAULT_STORAGE, json: JsonOption = False) -> None:
    """The network of the highest Dice, beside the published ones.

    [bold]Example[/bold]

      nas best unet_family-brain-synthetic --json
    """
    from nas.cli.results import recipe_in_words, results_table
    from nas.searching import FoundStudy

    with open_existing(storage) as opened:
        found = FoundStudy(chosen(opened, study))
        if json:
            print_json(found.summary())
            return
        network = found.best
        OUT.print(results_table(found.study))
        OUT.print(f"\nbest: trial {network.evaluation.trial}, digest {network.evaluation.digest}")
        if told := ", ".join(f"{name} {value:.4f}" for name, value in network.target_dice.items()):
            OUT.print(f"Dice: {told}", soft_wrap=True, markup=False)
        if decided := network.evaluation.decided_recipe:
            OUT.print(f"recipe: {recipe_in_words(decided)}", soft_wrap=True)
        OUT.print(_outline(network.document), soft_wrap=True)


def open_existing(storage: str, artifacts: str | None = None) -> "Storage":
    """A storage that a search has written."""
    from nas.study.storage import open_storage

    return open_storage(storage, artifacts=artifacts, create=False)


def chosen(storage: "Storage", name: str | None) -> "Study":
    """The study of a name; without a name the only one there is.

    Raises:
        InputError: there is none of that name, or no name was given where there is not exactly one.
    """
    from nas.study.opening import list_studies, open_study

    if name is not None:
        return open_study(storage, name)
    studies = list_studies(storage)
    if len(studies) == 1:
        return studies[0]
    if not studies:
        raise InputError(f"{storage.address} holds no study; run nas search first, or give another --storage")
    names = ", ".join(found.name for found in studies)
    raise InputError(f"STUDY: {storage.address} holds {len(studies)} studies; name one of: {names}")


def _status(study: Any) -> dict[str, Any]:
    counts = study.counts()
    states = {name: getattr(counts, name) for name in ("complete", "duplicate", "failed", "running")}
    summary: dict[str, Any] = study.summary()
    return summary | states | {"synthetic": study.settings.synthetic, "data": study.settings.data}


def _status_row(status: dict[str, Any]) -> tuple[str, ...]:
    best = f"{status['best']['dice']:.4f}" if status["best"] else "-"
    counts = (str(status[state]) for state in ("complete", "running", "infeasible", "failed"))
    return status["study"], *counts, best


def _outline(document: Any, indent: str = "") -> str:
    """An architecture's document as an indented list."""
    lines = []
    for name, value in document.items():
        if isinstance(value, dict):
            lines.append(f"{indent}{name}: {value['kind']}")
            lines.append(_outline(value, indent + "  "))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                lines.append(f"{indent}{name} {index}:")
                lines.append(_outline(item, indent + "  "))
        elif name != "kind":
            lines.append(f"{indent}{name}: {value}")
    return "\n".join(line for line in lines if line)
