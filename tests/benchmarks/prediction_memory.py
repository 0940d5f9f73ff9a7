"""The memory that `nas predict` says it takes for a volume of 512x512x300, and the most that it took.

Run: python -m tests.benchmarks.prediction_memory
"""

import re
import resource
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np

from nas.data import Preprocessing
from nas.model import save_model
from tests.benchmarks.measuring import show
from tests.model.factories import model

SHAPE, SPACING = (512, 512, 300), (0.8, 0.8, 1.0)
PATCH = 96
GRIDS = {"its own grid": SPACING, "resampled to 0.75x0.75x0.9 mm": (0.75, 0.75, 0.9)}
LIMIT = 8.0
"""GiB."""


def main() -> None:
    """A row for each grid that networks see, in a process of its own; exit code 1 where one is over the limit."""
    rows, most = [], 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        noise = np.random.default_rng(0).integers(-1000, 1000, SHAPE[:2], np.int16)
        volume = np.repeat(noise[..., None], SHAPE[2], axis=2)
        (folder / "images").mkdir()
        nibabel.save(nibabel.Nifti1Image(volume, np.diag([*SPACING, 1.0])), folder / "images" / "ct.nii.gz")
        del volume
        for grid, spacing in GRIDS.items():
            said, took = _measured(folder, grid, spacing)
            most = max(most, took)
            rows.append((grid, f"{said:.1f}", f"{took:.1f}"))
    size = "x".join(map(str, SHAPE))
    show(f"GiB that a volume of {size} takes, 3 classes, windows of {PATCH}", ("seen on", "said", "most"), rows)
    sys.exit(most > LIMIT)


def _measured(folder: Path, grid: str, spacing: tuple[float, ...]) -> tuple[float, float]:
    """GiB that are said before it starts, and the most that any process has had since."""
    made = model(patch=PATCH)
    made = replace(made, preprocessing=Preprocessing(spacing, made.preprocessing.channels))
    save_model(made, folder / "model")
    to = folder / grid.replace(" ", "_").replace("/", "_")
    # Windows that do not overlap take as much memory, and an eighth of the time.
    options = ["--images", str(folder / "images"), "--to", str(to), "--overlap", "0", "--device", "cpu"]
    command = [sys.executable, "-c", "from nas.cli import main; main()", "predict", str(folder / "model"), *options]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    said = re.search(r"at most ([\d.]+) GiB", ended.stderr)
    assert said is not None
    return float(said[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
