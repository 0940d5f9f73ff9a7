"""`nas data`: look at a data set before training on it."""

from typing import Annotated

import typer

from nas.cli.output import ERR, OUT, print_json, table

app = typer.Typer(no_args_is_help=True, help="Look at a data set before training on it.")


@app.command("check")
def check(
    folder: Annotated[
        str | None, typer.Argument(help="A folder of labelled images. [default: synthetic brain]")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the fingerprint as JSON.")] = False,
) -> None:
    """Read every case, refuse what cannot be trained on, and show what the data look like.

    [bold]Example[/bold]

      nas data check Task04_Hippocampus
    """
    from rich.progress import Progress

    from nas.data import check as run
    from nas.data import open_dataset

    dataset = open_dataset(folder)
    with Progress(console=ERR, transient=True) as progress:
        task = progress.add_task("reading cases", total=len(dataset.cases))
        fingerprint = run(dataset, lambda done, total: progress.update(task, completed=done, total=total))
    if json:
        print_json(fingerprint.to_json())
        return
    origin = f" ({dataset.origin})" if dataset.synthetic else ""
    OUT.print(
        f"[bold]{fingerprint.name}[/bold]{origin}: {fingerprint.cases} cases, {fingerprint.axes}D", soft_wrap=True
    )
    ranges = zip(fingerprint.shape_minimum, fingerprint.shape_median, fingerprint.shape_maximum, strict=True)
    rows = [
        (str(axis), str(low), str(middle), str(high), f"{spacing:g}")
        for axis, ((low, middle, high), spacing) in enumerate(zip(ranges, fingerprint.spacing_median, strict=True))
    ]
    OUT.print(table("shape in voxels", ("axis", "smallest", "median", "largest", "spacing in mm"), rows))
    classes = [(c.name, f"{c.voxel_fraction:.2%}", str(c.cases)) for c in fingerprint.classes]
    OUT.print(table("classes", ("class", "of all voxels", "cases"), classes))
    channels = [
        (c.name, f"{c.minimum:.4g}", f"{c.maximum:.4g}", f"{c.mean:.4g}", f"{c.deviation:.4g}")
        for c in fingerprint.channels
    ]
    OUT.print(table("intensities", ("channel", "lowest", "highest", "mean", "deviation"), channels))
    for warning in fingerprint.warnings:
        OUT.print(f"warning: {warning}", soft_wrap=True, markup=False)
    if not fingerprint.warnings:
        OUT.print("no warnings")
