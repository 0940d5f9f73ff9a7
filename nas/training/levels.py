"""The strides and kernels of each level, from the patch and the spacing of its voxels (Isensee et al. 2021).

nnU-Net, arXiv:1809.10486: thick slices are neither halved nor mixed before the other axes are about as coarse.
"""

from collections.abc import Sequence

from nas.graph import Axes

SMALLEST = 4
"""An axis is halved while at least this many voxels remain, as in nnU-Net."""
MOST_LEVELS = 5
NEAR = 2
"""Times the finest spacing that an axis must stay below to be halved, or mixed, with it, as in nnU-Net."""


def plan_strides(patch: Axes, spacing: Sequence[float]) -> tuple[Axes, ...]:
    """The stride per axis that leads to each coarser level.

    Args:
        patch: voxels per axis.
        spacing: size of a voxel per axis in millimetres.
    """
    sizes, spaces = list(patch), list(spacing)
    strides: list[Axes] = []
    while len(strides) < MOST_LEVELS:
        step = tuple(
            2 if size // 2 >= SMALLEST and near else 1 for size, near in zip(sizes, _near(spaces), strict=True)
        )
        if max(step) == 1:
            break
        strides.append(step)
        sizes = [-(-size // s) for size, s in zip(sizes, step, strict=True)]
        spaces = [space * s for space, s in zip(spaces, step, strict=True)]
    return tuple(strides)


def plan_kernels(strides: Sequence[Axes], spacing: Sequence[float]) -> tuple[Axes, ...]:
    """The kernel per axis at each level, full resolution first.

    1 along an axis that is still much coarser than the finest one, else 3, and 3 along every axis at the last level.

    Args:
        strides: those that lead to each coarser level.
        spacing: size of a voxel per axis in millimetres.
    """
    spaces, kernel = list(spacing), (1,) * len(spacing)
    kernels: list[Axes] = []
    for step in strides:
        kernel = tuple(3 if near else before for near, before in zip(_near(spaces), kernel, strict=True))
        kernels.append(kernel)
        spaces = [space * s for space, s in zip(spaces, step, strict=True)]
    return (*kernels, (3,) * len(spacing))


def _near(spaces: Sequence[float]) -> list[bool]:
    finest = min(spaces)
    return [space < NEAR * finest for space in spaces]
