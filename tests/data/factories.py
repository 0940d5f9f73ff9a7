"""Tiny data sets on disk, and ways to spoil them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
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
    """A NIfTI or PNG file, as the path's ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        Image.fromarray(voxels).save(path)
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
    kind = np.uint8 if ending == ".png" else np.float32
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
