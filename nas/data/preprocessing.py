"""What is done to every image before training, planned from what the data look like."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from nas.data.fingerprint import ChannelSummary, Fingerprint
from nas.data.resampling import ANISOTROPIC

MATCHES = 0.01
"""Spacings that differ by less than this share are taken for the same."""
CROPPED = 0.75
"""Where boxes around the content are less than this share of the images, the rest is padding and no intensity."""
CT = "CT"


def matches(step: float, wanted: float) -> bool:
    """Whether a spacing is near enough to another for voxels to stay as they are."""
    return abs(step / wanted - 1) <= MATCHES


@dataclass(frozen=True)
class Normalisation:
    """How the intensities of a channel are made comparable.

    Without numbers each case is brought to mean 0 and deviation 1, `inside` its content alone where that is set.
    With numbers, for CT, whose units mean the same everywhere, all cases are clipped to low and high, less the mean,
    by the deviation.
    """

    inside: bool = False
    low: float | None = None
    high: float | None = None
    mean: float = 0.0
    deviation: float = 1.0


@dataclass(frozen=True)
class Preprocessing:
    """What is done to every case.

    spacing: of the prepared voxels in mm along right, anterior, superior; axes within 1% of it stay as they are.
    channels: how each is normalised. crop: whether to cut away what is 0 in all channels around the content.
    """

    spacing: tuple[float, ...]
    channels: tuple[Normalisation, ...]
    crop: bool = True

    def to_json(self) -> dict[str, Any]:
        """Everything, as values that JSON has."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Preprocessing":
        """What `to_json` gave."""
        channels = tuple(Normalisation(**channel) for channel in document["channels"])
        return cls(tuple(document["spacing"]), channels, document["crop"])


def plan_preprocessing(fingerprint: Fingerprint) -> Preprocessing:
    """Preprocessing as nnU-Net plans it (Isensee et al. 2021): median spacing, CT by the set, else by case."""
    shares = [case.content for case in fingerprint.case_summaries]
    padded = bool(shares) and float(np.median(shares)) < CROPPED
    return Preprocessing(
        spacing=_target_spacing(
            [case.spacing for case in fingerprint.case_summaries], [case.shape for case in fingerprint.case_summaries]
        ),
        channels=tuple(_normalisation(channel, padded) for channel in fingerprint.channels),
    )


def _target_spacing(spacings: Sequence[Sequence[float]], shapes: Sequence[Sequence[int]]) -> tuple[float, ...]:
    """The median along each axis; for thick slices a finer one, that of the data's thinnest tenth.

    The slices are thick where their distance and their number both say so.
    """
    target = [float(step) for step in np.median(spacings, axis=0)]
    if len(target) == 3:
        axis = int(np.argmax(target))
        others = [step for other, step in enumerate(target) if other != axis]
        size = np.median(shapes, axis=0)
        if target[axis] > ANISOTROPIC * max(others) and size[axis] * ANISOTROPIC < np.delete(size, axis).min():
            thin = float(np.percentile(np.asarray(spacings)[:, axis], 10))
            target[axis] = max(thin, max(others))
    return tuple(target)


def _normalisation(channel: ChannelSummary, padded: bool) -> Normalisation:
    if channel.name.strip().upper() != CT:
        return Normalisation(inside=padded)
    foreground = channel.foreground
    return Normalisation(
        low=foreground.low, high=foreground.high, mean=foreground.mean, deviation=max(foreground.deviation, 1e-8)
    )
