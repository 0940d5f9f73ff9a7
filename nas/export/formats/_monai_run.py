"""Segments all NIfTI files of a folder; prepared as in training, put back on the grid of each image."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scripts import preparing


def segment_folder(network: Any, inferer: Any, root: str, images: str, to: str, device: Any) -> None:
    """Write a file of labels for each image; NAME_0000, NAME_0001 are the channels of NAME."""
    import nibabel

    about = json.loads((Path(root) / "configs" / "model.json").read_text(encoding="utf-8"))
    network.load_state_dict(torch.load(Path(root) / "models" / "model.pt", map_location=device, weights_only=True))
    network.to(device).eval()
    values = np.array(about["values"], np.min_scalar_type(max(about["values"])))
    Path(to).mkdir(parents=True, exist_ok=True)
    for name, paths in _listed(Path(images), len(about["channels"])).items():
        loaded = [nibabel.load(path) for path in paths]
        arrays = [np.asanyarray(file.dataobj).astype(np.float32) for file in loaded]
        axes = len(about["preprocessing"]["spacing"])
        voxels = np.concatenate([np.moveaxis(a, -1, 0) if a.ndim > axes else a[None] for a in arrays])
        first = loaded[0]
        with torch.inference_mode():
            classes = segmented(voxels, first.header.get_zooms()[:axes], first.affine, network, inferer, about, device)
        made = type(first)(values[classes], first.affine, first.header, dtype=values.dtype)
        made.header.set_slope_inter(1, 0)
        nibabel.save(made, Path(to) / name)


def segmented(voxels: Any, spacing: Any, affine: Any, network: Any, inferer: Any, about: Any, device: Any) -> Any:
    """Class indices (*spatial) of an image (channels, *spatial)."""

    def classes(image: Any) -> Any:
        filled, within = _whole(image, inferer, about)
        tensor = torch.from_numpy(np.ascontiguousarray(filled))[None].to(device)
        found = inferer(tensor, lambda part: _probabilities(part, network, about))[0]
        return found.argmax(0).to(torch.uint8).cpu().numpy()[within]

    return preparing.restored(voxels, spacing, affine, about, classes)


def _probabilities(part: Any, network: Any, about: Any) -> Any:
    """Of windows (batch, channels, *window), averaged over all ways of mirroring that training had."""
    sets = preparing.mirrorings(about, 2)
    return sum(network(part.flip(axes)).softmax(1).flip(axes) for axes in sets) / len(sets)


def _whole(image: Any, inferer: Any, about: Any) -> tuple[Any, tuple[slice, ...]]:
    """An image that is seen at once, filled up to what the network takes, and where it lies there; or as it is."""
    size, windows, slicing = image.shape[1:], about["windows"], about["slicing"]
    everything = (slice(None),) * len(size)
    if windows["size"] is not None:
        return image, everything
    seen = [axis for axis in range(len(size)) if slicing is None or axis != slicing["axis"]]
    wide = [-(-size[axis] // step) * step for axis, step in zip(seen, windows["multiple"], strict=True)]
    if np.prod(wide) > windows["most"]:
        return image, everything
    ends = [(0, 0)] * len(size)
    for axis, along in zip(seen, wide, strict=True):
        ends[axis] = ((along - size[axis]) // 2, -(-(along - size[axis]) // 2))
    inferer.roi_size = wide
    if slicing is not None:
        inferer.orig_roi_size = tuple(wide)
    within = tuple(slice(first, first + along) for (first, _), along in zip(ends, size, strict=True))
    return np.pad(image, [(0, 0), *ends], mode="edge"), within


def _listed(folder: Path, channels: int) -> dict[str, list[Path]]:
    cases: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.nii*")):
        stem, _, suffix = path.name.partition(".nii")
        numbered = len(stem) > 5 and stem[-5] == "_" and stem[-4:].isdigit()
        cases.setdefault(f"{stem[:-5] if numbered else stem}.nii{suffix}", []).append(path)
    return cases
