"""`nas export`: a trained model in the forms that people deploy."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli.options import ArtifactsOption, JsonOption, StorageOption
from nas.cli.output import ERR, OUT, print_json
from nas.cli.studies import chosen, open_existing
from nas.errors import InputError
from nas.study import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.export.exporting import Exported
    from nas.export.sample import Sample
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
        str,
        typer.Option("--as", help="model, pytorch, onnx, pt2, monai, nnunet, int8, bf16; several with commas."),
    ] = "pytorch",
    trial: Annotated[int | None, typer.Option(help="Of a study another trial than the best.")] = None,
    top: Annotated[
        int, typer.Option(help="Of a study the mean of so many of the best, trained to full length.", min=1)
    ] = 1,
    data: Annotated[
        str | None,
        typer.Option(
            help="Data set on which int8 and bf16 are measured.", show_default="the study's, where it is there"
        ),
    ] = None,
    storage: StorageOption = DEFAULT_STORAGE,
    artifacts: ArtifactsOption = None,
    json: JsonOption = False,
) -> None:
    """Write a trained network in the forms that people deploy, each tried after it was written.

    pytorch is model.py, weights.safetensors and architecture.json; onnx brings a program of one file that segments
    with NumPy, nibabel and ONNX Runtime alone; nnunet is what stock nnU-Net predicts with; model is the folder that
    nas predict takes. int8 is onnx, and bf16 pytorch, in fewer bits: the Dice that these lose is measured on validation
    cases where the data are there. Nothing else needs the data.

    [bold]Example[/bold]

      nas export unet_family-brain-synthetic --to best

      nas export unet_family-Hippocampus --top 2 --as model --to both

      nas export model --as onnx,monai --to deployed

      nas export model --as int8,bf16 --data DIR --to small
    """
    from nas.export.exporting import export as run
    from nas.export.formats import Reduced, format_of

    names = [name.strip() for name in forms.split(",")]
    for name in names:
        format_of(name)
    measured = any(isinstance(format_of(name), Reduced) for name in names)
    model, sample = _model(source, trial, top, data, measured, storage, artifacts)
    written = run(model, names, to, sample)
    if json:
        tried = [_in_json(entry) for entry in written]
        provenance = {name: model.provenance[name] for name in ("study", "trial", "dice") if name in model.provenance}
        print_json({**provenance, "files": [str(file) for entry in written for file in entry.files], "forms": tried})
        return
    for entry in written:
        ERR.print(
            f"{entry.form}: tried with {len(entry.sizes)} sizes and a whole image; scores differ by "
            f"{entry.difference:.1g} of their range, {entry.agreement:.2%} of the voxels have the same class",
            soft_wrap=True,
        )
        if entry.reduced:
            ERR.print(f"{entry.form}: {_loss(entry, sample)}", soft_wrap=True, markup=False)
        for file in entry.files:
            OUT.print(f"  {file}", soft_wrap=True, markup=False)


def _model(
    source: str | None,
    trial: int | None,
    top: int,
    data: str | None,
    measured: bool,
    storage: str,
    artifacts: str | None,
) -> "tuple[TrainedModel, Sample | None]":
    """The model in a folder, or a network of a study, and cases to measure it on if that is wanted."""
    folder = source is not None and Path(source).is_dir()
    if top > 1 and (folder or trial is not None):
        raise InputError(
            f"--top: found {top}, but {'a model' if folder else '--trial'} names one network; leave it out"
        )
    if source is not None and folder:
        from nas.data import open_dataset
        from nas.export.sample import expect_same_classes, sample_of
        from nas.model import load_model

        model = load_model(source)
        if data is None or not measured:
            return model, None
        dataset = open_dataset(data)
        expect_same_classes(model, dataset)
        return model, sample_of(dataset, f"cases of {dataset.name}, which may have trained it")
    from nas.searching import OpenedStudy
    from nas.searching.afterwards.sample import sample_of_study
    from nas.searching.afterwards.together import model_of
    from nas.searching.model import trained_model

    with open_existing(storage, artifacts) as opened:
        study = OpenedStudy(chosen(opened, source))
        network = study.best if trial is None else study.trial(trial)
        model = model_of(study, top) if top > 1 else trained_model(network)
        return model, sample_of_study(network, data) if measured else None


def _loss(entry: "Exported", sample: "Sample | None") -> str:
    if entry.loss is None or sample is None:
        return "what its fewer bits cost is not measured, as no data are here; give them as --data"
    loss = entry.loss
    return (
        f"Dice {loss.reduced:.4f} where float32 has {loss.full:.4f}, {loss.lost:+.4f} lost, on {loss.cases} "
        f"{sample.words}"
    )


def _in_json(entry: "Exported") -> dict[str, Any]:
    loss = entry.loss
    figures = {"form": entry.form, "difference": entry.difference, "agreement": entry.agreement}
    if not entry.reduced:
        return figures
    told = None if loss is None else {"cases": loss.cases, "dice_float32": loss.full, "dice": loss.reduced}
    return {**figures, "loss": told}
