"""Made-up volumes, and what made-up networks see in them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from nas.data.dataset import Case, Dataset, Volume
from nas.data.geometry import Geometry
from nas.data.images import Image
from nas.report import Material
from nas.report.images import Images, case_images
from nas.report.material import CaseScores

NAMES = ("case_0", "case_1", "case_2")
TILTED = np.array([[-1.0, 0, 0, 40], [0, 1.0, 0, -30], [0, 0, 1.5, 10], [0, 0, 0, 1]])


def balls(size: int = 40) -> Dataset:
    """Cases with two structures in noise, one inside the other."""
    cases = tuple(Case(name) for name in NAMES)
    classes = ("background", "rind", "core")
    return Dataset("balls", None, 3, ("CT",), classes, cases, partial(_ball, size), origin="made up")


def _ball(size: int, case: Case) -> Volume:
    shape = (size, size + size // 4, size)
    apart = sum(
        ((np.arange(extent) - extent / 2).reshape([-1 if at == axis else 1 for at in range(3)]) / (extent * wide)) ** 2
        for axis, (extent, wide) in enumerate(zip(shape, (0.22, 0.3, 0.26), strict=True))
    )
    label = ((apart < 1).astype(np.uint8) + (apart < 0.3)).astype(np.uint8)
    chance = np.random.default_rng(NAMES.index(case.name))
    image = label * 100.0 + (apart < 2.2) * 60.0 + chance.normal(0, 12, shape)
    return Volume(image[None].astype(np.float32), label, Geometry((1.0, 1.0, 1.5), TILTED))


def _shifted(by: int, image: Image) -> npt.NDArray[np.uint8]:
    """The truth, as far as intensities tell it, some voxels further to one side."""
    seen = (image.voxels[0] > 110).astype(np.uint8) + (image.voxels[0] > 215)
    return np.roll(seen, by, axis=0).astype(np.uint8)


def shown(material: Material, size: int = 40) -> tuple[Material, Images]:
    """The study as one of such volumes, with pictures of its cases."""
    trials = [trial for trial in (material.winner, material.rival) if trial is not None]
    dice = np.array([[0.9, 0.9], [0.8, 0.8], [0.7, 0.7]])
    scores = {trial.latest.id: CaseScores(NAMES, dice) for trial in trials if trial.latest}
    material = replace(material, scores=scores)
    segmenters: dict[str, Callable[[Image], npt.NDArray[np.uint8]]] = {
        material.name(trial): partial(_shifted, 2 * number) for number, trial in enumerate(trials)
    }
    return material, case_images(material, balls(size), segmenters)
