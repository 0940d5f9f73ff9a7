"""Batches for training, each a pure function of the seed and the number of its step."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import torch
from torch import Tensor

from nas.errors import InputError
from nas.graph import Axes
from nas.training import geometry, intensity
from nas.training.recipe import Recipe
from nas.training.samples import Sample


class Feed:
    """Draws batches of random patches: cut, moved and changed on the device, all patches of a batch together.

    A batch depends on the seed, the samples, the recipe and its step's number alone, so a training can go on at any
    step. Every case is drawn once before any is drawn again. Use it in a `with` block, which ends its thread.

    Args:
        samples: cases, on the device or in memory that is read patch by patch.
        patch: voxels per axis.
        recipe: batch, foreground and augmentation.
        device: where batches are made.
        seed: of everything random.
        ahead: whether the next batch is drawn on a thread while the current one trains. By default only where cases
            have to be read first: drawing on the device itself would take what the training step needs.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        patch: Axes,
        recipe: Recipe,
        device: torch.device,
        *,
        seed: int,
        ahead: bool | None = None,
    ):
        if not samples:
            raise InputError("training: found no cases, expected at least one; check the split of the data")
        self._samples, self._patch, self._recipe, self._device, self._seed = samples, patch, recipe, device, seed
        streamed = any(sample.streamed for sample in samples)
        self._thread = ThreadPoolExecutor(1, "feed") if (streamed if ahead is None else ahead) else None
        self._next: tuple[int, Future[tuple[Tensor, Tensor]]] | None = None

    def __enter__(self) -> "Feed":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """The batch of a step counted from 0.

        Returns:
            Images (batch, channels, *patch) and class indices (batch, 1, *patch), uint8, 255 for ignored voxels.
        """
        if self._thread is None:
            return self._draw(step)
        if self._next is None or self._next[0] != step:
            self._next = (step, self._thread.submit(self._draw, step))
        drawn = self._next[1].result()
        self._next = (step + 1, self._thread.submit(self._draw, step + 1))
        return drawn

    def _draw(self, step: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(mixed(self._seed, step))
        augmentation, count = self._recipe.augmentation, self._recipe.batch
        needed = geometry.numbers_needed(len(self._patch)), intensity.numbers_needed()
        where = torch.rand(count, needed[0], generator=generator).tolist()
        changes = torch.rand(count, needed[1], generator=generator).tolist()
        placements = [
            geometry.draw_placement(
                self._case(step * count + row), self._patch, self._recipe.foreground, augmentation, iter(where[row])
            )
            for row in range(count)
        ]
        images, labels = geometry.cut(placements, self._patch, self._device, generator)
        on_device = generator
        if self._device.type != "cpu":
            on_device = torch.Generator(self._device).manual_seed(mixed(self._seed, step))
        return intensity.change(images, augmentation, [iter(row) for row in changes], on_device), labels

    def _case(self, number: int) -> Sample:
        """The case of the patch of this number, counted from the start of training."""
        turn, place = divmod(number, len(self._samples))
        generator = torch.Generator().manual_seed(mixed(self._seed, "order", turn))
        return self._samples[int(torch.randperm(len(self._samples), generator=generator)[place])]


def mixed(*parts: int | str) -> int:
    """A seed from several numbers and names; different for different ones, and the same in every process."""
    text = " ".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=7).digest(), "big")
