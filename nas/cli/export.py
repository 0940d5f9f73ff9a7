"""`nas export`: a trained model in the forms that people deploy."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import ArtifactsOption, JsonOption, StorageOption
from nas.cli.output import ERR, OUT, print_json
from nas.cli.studies import chosen, open_existing
from nas.study import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.model import TrainedModel


def export(
    source: Annotated[
        str | None,
        typer.Argument(
            help="Folder of a trained model, or name of a study.",
            show_default="the only study there is",
            metavar="MODEL|STUDY",
        ),
    ] = None,
    to: Annotated[Path, typer.Option(help="Folder to write; one in it for each of several forms.")] = Path("best"),
    forms: Annotated[
        str, typer.Option("--as", help="model, pytorch, onnx, pt2, monai, nnunet; several with commas.")
    ] = "pytorch",
    trial: Annotated[int | None, typer.Option(help="Of a study another trial than the best.")] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    artifacts: ArtifactsOption = None,
    json: JsonOption = False,
) -> None:
    """Write a trained network in the forms that people deploy, each tried after it was written.

    pytorch is model.py, weights.safetensors and architecture.json; onnx brings a program of one file that segments
    with NumPy, nibabel and ONNX Runtime alone; nnunet is what stock nnU-Net predicts with; model is the folder that
    nas predict takes. The data are not needed.

    [bold]Example[/bold]

      nas export unet_family-brain-synthetic --to best

      nas export model --as onnx,monai --to deployed
    """
    from nas.export.exporting import export as run
    from nas.export.formats import format_of

    names = [name.strip() for name in forms.split(",")]
    for name in names:
        format_of(name)
    model = _model(source, trial, storage, artifacts)
    written = run(model, names, to)
    if json:
        tried = [{"form": e.form, "difference": e.difference, "agreement": e.agreement} for e in written]
        provenance = {name: model.provenance[name] for name in ("study", "trial", "dice") if name in model.provenance}
        print_json({**provenance, "files": [str(file) for entry in written for file in entry.files], "forms": tried})
        return
    for entry in written:
        ERR.print(
            f"{entry.form}: tried with {len(entry.sizes)} sizes and a whole image; scores differ by "
            f"{entry.difference:.1g} of their range, {entry.agreement:.2%} of the voxels have the same class",
            soft_wrap=True,
        )
        for file in entry.files:
            OUT.print(f"  {file}", soft_wrap=True, markup=False)


def _model(source: str | None, trial: int | None, storage: str, artifacts: str | None) -> "TrainedModel":
    """The model in a folder, or a network of a study."""
    if source is not None and Path(source).is_dir():
        from nas.model import load_model

        return load_model(source)
    from nas.searching import OpenedStudy
    from nas.searching.model import trained_model

    with open_existing(storage, artifacts) as opened:
        study = OpenedStudy(chosen(opened, source))
        return trained_model(study.best if trial is None else study.trial(trial))
