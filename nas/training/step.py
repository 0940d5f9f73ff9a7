"""One optimiser step: forward, loss, backward, clipped and averaged, within the memory there is."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

from nas.network import Network, StepPlan
from nas.network.published.encoder import PARTS
from nas.network.running import Scores, arranged, is_out_of_memory, runner
from nas.training.losses import supervised
from nas.training.memory import release
from nas.training.recipe import Recipe
from nas.training.targets import EACH_CLASS, Targets

_SEGMENTS = 8
"""Into how many parts a network is cut when a batch cannot be halved any further."""
_BEGUN = "begun"
"""Marks the weights that a network began with among those that the optimiser moves."""


class OutOfMemoryError(torch.OutOfMemoryError):
    """There is no memory for a network, however small the parts; `needed` is at least how many bytes."""

    def __init__(self, needed: int, reason: str):
        self.needed = needed
        super().__init__(f"more than {needed:,} bytes are needed: {reason}")


class Stepper:
    """A network with its optimiser, and the scale of its gradients and running mean of its weights where wanted.

    Where memory runs out in a step, the batch is computed in twice as many parts from then on, its gradients added
    up; when parts of two patches are too large, the network's inner values are computed twice instead of being kept.
    Batch norm then sees the parts one by one. Where a network cannot be compiled after all, as when a training goes
    on where there is no compiler, it runs as it is.
    """

    def __init__(self, network: Network, recipe: Recipe, plan: StepPlan, targets: Targets = EACH_CLASS):
        self.network, self.recipe, self.targets = arranged(network, plan), recipe, targets
        self.plan = plan
        self._device = next(network.parameters()).device
        self.optimiser = recipe.optimiser.make(
            _groups(network, recipe), recipe.learning_rate, recipe.weight_decay, fused=plan.fused
        )
        self.scaler = torch.amp.GradScaler(self._device.type, enabled=plan.precision == "float16")
        self._parameters, self._followed = list(network.parameters()), _averaged(network)
        self.averages = [tensor.detach().clone() for tensor in self._followed] if recipe.averaging > 0 else []
        self._loss = supervised(recipe.loss, recipe.supervision, targets)
        self._forward = runner(network, plan)
        self._averaged = 0

    def step(self, images: Tensor, labels: Tensor, rate: float, *, still: bool = False) -> tuple[Tensor, Tensor]:
        """Train on one batch at a learning rate; all, or all but stem and encoder, which stand still.

        Returns:
            The loss, and the class scores of the finest output (batch, classes, *patch), both detached.

        Raises:
            OutOfMemoryError: there is no memory for the smallest part of the batch.
        """
        while True:
            try:
                result = self._gradients(images, labels)
                break
            except (RuntimeError, MemoryError) as error:
                uncompiled = self.plan.compiled and isinstance(error, torch._dynamo.exc.TorchDynamoException)
                if not (uncompiled or is_out_of_memory(error)):
                    raise
                reason = str(error).strip().splitlines()[0]
            # Out of the handler, so that the traceback no longer holds the tensors of the failed pass.
            self.optimiser.zero_grad(set_to_none=True)
            release(self._device)
            changes = {"compiled": False} if uncompiled else self._smaller(len(images), reason)
            self._change(changes, reason)
        self._update(rate, still)
        return result

    def finish(self) -> None:
        """Put the averaged weights into the network, if weights are averaged."""
        with torch.no_grad():
            for tensor, average in zip(self._followed, self.averages, strict=bool(self.averages)):
                tensor.copy_(average)

    def _gradients(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        parts = self.plan.accumulation
        losses, finest = [], []
        for image, label in zip(images.chunk(parts), labels.chunk(parts), strict=True):
            scores = self._forward(image)
            share = len(image) / len(images)
            value = self._loss(scores, label) * share
            self.scaler.scale(value).backward()
            losses.append(value.detach())
            finest.append(_finest(scores))
        return torch.stack(losses).sum(), finest[0] if len(finest) == 1 else torch.cat(finest)

    def _update(self, rate: float, still: bool) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = 0.0 if still and group.get(_BEGUN) else rate
        self.scaler.unscale_(self.optimiser)
        torch.nn.utils.clip_grad_norm_(self._parameters, self.recipe.clip)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)
        if self.averages:
            self._average()

    def _average(self) -> None:
        self._averaged += 1
        # Early on the mean is over the few weights there were, not over the first ones for ever.
        decay = min(self.recipe.averaging, self._averaged / (self._averaged + 9))
        with torch.no_grad():
            get_ema_multi_avg_fn(decay)(self.averages, self._followed, self._averaged)

    def _smaller(self, batch: int, reason: str) -> dict[str, Any]:
        """How the next attempt is to take less memory. Raises OutOfMemoryError where nothing is left to try."""
        parts = min(2 * self.plan.accumulation, batch // 2)
        if parts > self.plan.accumulation:
            return {"accumulation": parts}
        if not self.plan.segments:
            return {"segments": _SEGMENTS}
        smallest = -(-batch // self.plan.accumulation)
        needed = self.network.graph.training_bytes * smallest
        raise OutOfMemoryError(needed, f"training on {smallest} patches at once: {reason}")

    def _change(self, changes: dict[str, Any], reason: str) -> None:
        """Go on in another way, and note why."""
        told = ", ".join(f"{name} {value}" for name, value in changes.items())
        self.plan = replace(self.plan, **changes, notes=(*self.plan.notes, f"{told}: {reason}"))
        arranged(self.network, self.plan)
        self._followed = _averaged(self.network)  # laid out anew, they are other tensors
        self._forward = runner(self.network, self.plan)

    def resume(self, averaged: int) -> None:
        """Go on after so many averaged steps."""
        self._averaged = averaged

    @property
    def averaged(self) -> int:
        """How many steps the running mean has seen."""
        return self._averaged


def _groups(network: Network, recipe: Recipe) -> list[dict[str, Any]]:
    """The weights in their order, those apart that may stand still for a while."""
    named = list(network.named_parameters())
    if recipe.pretrained is None or recipe.frozen == 0:
        return [{"params": [parameter for _, parameter in named]}]
    begun = [parameter for name, parameter in named if name.startswith(PARTS)]
    return [{"params": begun, _BEGUN: True}, {"params": [p for name, p in named if not name.startswith(PARTS)]}]


def _finest(scores: Scores) -> Tensor:
    return (scores[0] if isinstance(scores, tuple) else scores).detach()


def _averaged(network: Network) -> list[Tensor]:
    """What is averaged: weights, and the running statistics that belong to them."""
    buffers = [buffer for buffer in network.buffers() if buffer.is_floating_point()]
    return [*(parameter.data for parameter in network.parameters()), *buffers]
