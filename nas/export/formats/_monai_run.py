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
        tensor = torch.from_numpy(np.ascontiguousarray(image))[None].to(device)
        return inferer(tensor, lambda part: network(part).softmax(1))[0].argmax(0).to(torch.uint8).cpu().numpy()

    return preparing.restored(voxels, spacing, affine, about, classes)


def _listed(folder: Path, channels: int) -> dict[str, list[Path]]:
    cases: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.nii*")):
        stem, _, suffix = path.name.partition(".nii")
        numbered = len(stem) > 5 and stem[-5] == "_" and stem[-4:].isdigit()
        cases.setdefault(f"{stem[:-5] if numbered else stem}.nii{suffix}", []).append(path)
    return cases
