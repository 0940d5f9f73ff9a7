"""The built-in data: brain tissue in 2D slices, made rather than measured, with nothing to download.

In the manner of SynthSeg (Billot et al. 2023, arXiv:2107.09559), tissue maps are deformed at random and painted with a
random contrast, then blurred, shaded by a bias field and made noisy. Here the maps are the grey and white matter of the
MNI152 template that the nilearn package ships (Fonov et al. 2011), cut along a random, slightly tilted axial slice.
Around the brain come fluid, skull and scalp, which look like tissue and are background.
"""

from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Case, Dataset, Volume
from nas.data.geometry import Geometry

Array: TypeAlias = npt.NDArray[np.float32]

CLASSES = ("background", "grey matter", "white matter")
SIZE = (96, 112)  # pixels, left to right and back to front; divisible by 16
SPACING = (2.0, 2.0)  # mm

VERSION = 1  # goes up whenever the same seed gives other cases
CENTRE = (49.0, 58.0)  # of the brain in the templates at 2 mm, in voxels from the left and from the back
HEIGHTS = (34.0, 58.0)  # the slices cut, in voxels from below: from the basal ganglia to above the ventricles

# How bright a tissue is, in the order air, fluid, grey matter, white matter, skull, scalp.
CONTRASTS = {
    "T1": (0.00, 0.20, 0.50, 0.85, 0.12, 0.75),
    "T2": (0.00, 0.95, 0.65, 0.38, 0.10, 0.45),
    "FLAIR": (0.00, 0.15, 0.75, 0.48, 0.12, 0.60),
    "proton density": (0.00, 0.85, 0.80, 0.52, 0.10, 0.65),
}


def dataset(cases: int = 40, seed: int = 0) -> Dataset:
    """The built-in data set: axial slices of 96 x 112 pixels at 2 mm, one channel, three classes.

    A case depends on the seed and its number alone, so fewer cases are the first of many.
    """
    return Dataset(
        name="brain (synthetic)",
        folder=None,
        axes=2,
        channels=("MR",),
        classes=CLASSES,
        cases=tuple(Case(f"brain_{number:03d}") for number in range(cases)),
        loader=_Painter(seed),
        origin=f"nas.data.brain version {VERSION}, seed {seed}",
    )


@dataclass(frozen=True)
class Tissues:
    """Probability maps of the templates at 2 mm, each (99, 117, 95): left to right, back to front, below to above."""

    grey: Array
    white: Array
    brain: Array


@cache
def load_tissues() -> Tissues:
    """Read the maps that nilearn ships."""
    from nilearn import datasets

    grey = datasets.load_mni152_gm_template(resolution=1)
    white = datasets.load_mni152_wm_template(resolution=1)
    brain = datasets.load_mni152_brain_mask(resolution=1)
    # Every second voxel is what nilearn's own resampling to 2 mm comes to, in a sixth of the time.
    return Tissues(*(image.get_fdata(dtype=np.float32)[::2, ::2, ::2].copy() for image in (grey, white, brain)))


def paint(tissues: Tissues, random: np.random.Generator) -> Volume:
    """One case: a slice through the deformed maps, its label, and an image of it in a random contrast."""
    from scipy.ndimage import binary_fill_holes, map_coordinates

    where = _slice(random)
    maps = (tissues.grey, tissues.white, tissues.brain)
    grey, white, brain = (map_coordinates(tissue, where, order=1) for tissue in maps)
    inside = binary_fill_holes(brain > 0.5)
    grey, white = grey * inside, white * inside
    label = np.where(grey + white > 0.5, np.where(white > grey, 2, 1), 0).astype(np.uint8)
    image = _image(_shares(grey, white, inside, random), random)
    return Volume(image[None], label, Geometry(SPACING))


@dataclass(frozen=True)
class _Painter:
    """Loads a synthetic case by making it; the templates are read at the first one."""

    seed: int

    def __call__(self, case: Case) -> Volume:
        volume = _painted(self.seed, int(case.name.rpartition("_")[2]))
        return replace(volume, image=volume.image.copy(), label=volume.label.copy())


@lru_cache(maxsize=64)
def _painted(seed: int, number: int) -> Volume:
    """A case, kept (50 kB): a search looks at each one to check it, and again to prepare it."""
    return paint(load_tissues(), np.random.default_rng((seed, number)))


def _slice(random: np.random.Generator) -> Array:
    """Where the pixels of a random slice lie in the templates: (3, *SIZE), in voxels."""
    turn, tilt, roll = random.normal(0, np.radians((8, 6, 3)))
    scale = random.normal(1.05, 0.05, size=2)
    across, along = np.meshgrid(*(np.arange(size) - (size - 1) / 2 for size in SIZE), indexing="ij")
    x = (across * np.cos(turn) - along * np.sin(turn)) * scale[0] + random.normal(0, 2)
    y = (across * np.sin(turn) + along * np.cos(turn)) * scale[1] + random.normal(0, 2)
    z = random.uniform(*HEIGHTS) + x * np.sin(roll) + y * np.sin(tilt)
    coarse = [2.0 * _smooth(random, 14) for _ in range(3)]
    fine = [0.8 * _smooth(random, 4) for _ in range(3)]
    plane = (x + CENTRE[0], y + CENTRE[1], z)
    return np.stack([sum(parts) for parts in zip(plane, coarse, fine, strict=True)]).astype(np.float32)


def _shares(grey: Array, white: Array, inside: npt.NDArray[np.bool_], random: np.random.Generator) -> Array:
    """How much of each tissue a pixel holds, in the order of CONTRASTS: (6, *SIZE), adding up to 1."""
    from scipy.ndimage import distance_transform_edt

    distance = distance_transform_edt(~inside) * (1 + 0.15 * _smooth(random, 10))
    thicknesses = random.uniform((0.5, 2, 2), (2, 4, 4))  # of fluid, skull and scalp, in pixels
    shell = np.digitize(distance, np.cumsum(thicknesses))
    rest = np.clip(1 - grey - white, 0, 1)
    fluid, skull, scalp, air = (rest * (shell == number) for number in range(4))
    return np.stack([air, fluid, grey, white, skull, scalp])


def _image(shares: Array, random: np.random.Generator) -> Array:
    """An image of the tissues: contrast, texture, blur, bias field and noise, (*SIZE)."""
    from scipy.ndimage import gaussian_filter

    contrast = np.array(list(CONTRASTS.values()))[random.integers(len(CONTRASTS))]
    brightness = contrast + random.normal(0, 0.04, size=6)
    texture = 0.03 * np.stack([_smooth(random, 1.5) for _ in contrast])
    brightness[0], texture[0] = 0, 0  # air
    tissue = np.sum(shares * (brightness[:, None, None] + texture), axis=0)
    clean = gaussian_filter(tissue, random.uniform(0.3, 0.7))
    shaded = clean * np.exp(random.uniform(0.05, 0.25) * _smooth(random, 30))
    # The magnitude of a complex signal: Rician noise, as MR has it.
    noise = random.uniform(0.01, 0.04) * random.standard_normal((2, *SIZE))
    return np.asarray(1000 * np.hypot(shaded + noise[0], noise[1]), dtype=np.float32)


def _smooth(random: np.random.Generator, width: float) -> npt.NDArray[np.float64]:
    """Smooth noise of mean 0 and deviation 1, (*SIZE), whose bumps are about `width` pixels wide."""
    from scipy.ndimage import gaussian_filter

    noise = gaussian_filter(random.standard_normal(SIZE), width, mode="wrap")
    return np.asarray((noise - noise.mean()) / noise.std())
