"""Tiny data sets on disk, and ways to spoil them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import tifffile
from PIL import Image

SHARED = Path(__file__).parents[3] / "shared" / "data"

Spoil = Callable[[Path], None]

BOX = (18, 17, 6)
SQUARE = (24, 20)
CASES = ("case_1", "case_2", "case_3")


def intensities(name: str, shape: tuple[int, ...], kind: Any = np.float32) -> np.ndarray:
    """Noise that depends on the case's name alone."""
    return np.random.default_rng(list(name.encode())).integers(0, 200, shape).astype(kind)


def labels(shape: tuple[int, ...], values: tuple[float, ...] = (0, 1, 2), kind: Any = np.uint8) -> np.ndarray:
    """The values in slabs along the first axis."""
    slabs = np.arange(shape[0]) * len(values) // shape[0]
    return np.broadcast_to(np.array(values, kind)[slabs].reshape(-1, *[1] * (len(shape) - 1)), shape).copy()


def write(path: Path, voxels: np.ndarray, affine: np.ndarray | None = None) -> None:
    """A NIfTI, TIFF, PNG or JPEG file, as the path's ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".png", ".jpg"):
        Image.fromarray(voxels).save(path)
    elif path.suffix == ".tif":
        tifffile.imwrite(path, voxels, photometric="rgb" if voxels.shape[-1] == 3 else "minisblack")
    else:
        affine = np.diag([1.0, 1.5, 2.0, 1.0]) if affine is None else affine
        nibabel.save(nibabel.Nifti1Image(voxels, affine), path)


def describe(folder: Path, **fields: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps(fields))


def msd(folder: Path, shape: tuple[int, ...] = BOX, channels: int = 1, cases: tuple[str, ...] = CASES) -> Path:
    for name in cases:
        image = intensities(name, (*shape, channels) if channels > 1 else shape)
        write(folder / f"imagesTr/{name}.nii.gz", image)
        write(folder / f"labelsTr/{name}.nii.gz", labels(shape))
    describe(
        folder,
        name="Tiny",
        modality={str(channel): f"MR{channel}" for channel in range(channels)},
        labels={"0": "background", "1": "front", "2": "back"},
        training=[{"image": f"./imagesTr/{name}.nii.gz", "label": f"./labelsTr/{name}.nii.gz"} for name in cases],
    )
    return folder


def nnunet(folder: Path, shape: tuple[int, ...], ending: str, channels: int = 1) -> Path:
    kind = np.float32 if ending == ".nii.gz" else np.uint8
    for name in CASES:
        for channel in range(channels):
            write(folder / f"imagesTr/{name}_{channel:04d}{ending}", intensities(f"{name}{channel}", shape, kind))
        write(folder / f"labelsTr/{name}{ending}", labels(shape))
    describe(
        folder,
        channel_names={str(channel): f"channel {channel}" for channel in range(channels)},
        labels={"background": 0, "front": 1, "back": 2},
        file_ending=ending,
    )
    return folder


def nnunet_png(folder: Path) -> Path:
    return nnunet(folder, SQUARE, ".png")


def nnunet_nifti(folder: Path) -> Path:
    return nnunet(folder, BOX, ".nii.gz", channels=2)


def nnunet_colour(folder: Path) -> Path:
    """One RGB file that holds all three channels."""
    nnunet_png(folder)
    for path in (folder / "imagesTr").iterdir():
        write(path, intensities(path.name, (*SQUARE, 3), np.uint8))
    describing(channel_names={"0": "red", "1": "green", "2": "blue"})(folder)
    return folder


def nnunet_tiff(folder: Path) -> Path:
    return nnunet(folder, (6, *SQUARE), ".tif", channels=2)


def nnunet_regions(folder: Path) -> Path:
    """A region of both classes, one of the second alone, and voxels of unknown class."""
    nnunet(folder, BOX, ".nii.gz")
    describing(labels={"background": 0, "whole": [1, 2], "core": [2], "ignore": 3}, regions_class_order=[1, 2])(folder)
    for name in CASES:
        write(folder / f"labelsTr/{name}.nii.gz", labels(BOX, (0, 1, 2, 3)))
    return folder


def pairs(
    folder: Path,
    ending: str = ".png",
    label_ending: str = ".png",
    names: tuple[str, str] = ("images", "labels"),
    cases: Sequence[str] = CASES,
) -> Path:
    for name in cases:
        shape = (*SQUARE, 3) if ending == ".jpg" else SQUARE
        write(folder / f"{names[0]}/{name}{ending}", intensities(name, shape, np.uint8))
        write(folder / f"{names[1]}/{name}{label_ending}", labels(SQUARE, (0, 7, 255)))
    return folder


def pairs_tiff(folder: Path) -> Path:
    return pairs(folder, ".tif", ".tif", ("images", "masks"))


def pairs_jpeg(folder: Path) -> Path:
    return pairs(folder, ".jpg")


def pairs_nifti(folder: Path) -> Path:
    """The Decathlon's folders without the file that describes them."""
    (msd(folder) / "dataset.json").unlink()
    return folder


def bids(folder: Path) -> Path:
    """Two subjects, one seen twice, with T1w and FLAIR, segmented in a derivative."""
    derivative = folder / "derivatives/manual"
    for place in (folder, derivative):
        place.mkdir(parents=True, exist_ok=True)
        (place / "dataset_description.json").write_text('{"Name": "Tiny", "BIDSVersion": "1.10.0"}')
    (derivative / "desc-manual_dseg.tsv").write_text("index\tname\n1\tfront\n2\tback\n")
    for name in ("sub-01_ses-1", "sub-01_ses-2", "sub-02_ses-1"):
        place = "/".join([*name.split("_"), "anat"])
        for kind in ("T1w", "FLAIR"):
            write(folder / place / f"{name}_{kind}.nii.gz", intensities(name + kind, BOX))
        write(derivative / place / f"{name}_desc-manual_dseg.nii.gz", labels(BOX))
    return folder


def describing(**fields: Any) -> Spoil:
    """Set fields of dataset.json; None removes one."""

    def spoil(folder: Path) -> None:
        content = json.loads((folder / "dataset.json").read_text()) | fields
        describe(folder, **{name: value for name, value in content.items() if value is not None})

    return spoil


def deleting(*files: str) -> Spoil:
    def spoil(folder: Path) -> None:
        for file in files:
            (folder / file).unlink()

    return spoil


def writing(file: str, voxels: np.ndarray, affine: np.ndarray | None = None) -> Spoil:
    return lambda folder: write(folder / file, voxels, affine)


def containing(file: str, content: bytes) -> Spoil:
    def spoil(folder: Path) -> None:
        (folder / file).write_bytes(content)

    return spoil


def halving(file: str) -> Spoil:
    def spoil(folder: Path) -> None:
        content = (folder / file).read_bytes()
        (folder / file).write_bytes(content[: len(content) // 2])

    return spoil
