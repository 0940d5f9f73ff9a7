"""How weights follow their gradients."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas.training.checking import check_fields

if TYPE_CHECKING:
    import torch
    from torch.optim.optimizer import ParamsT


@dataclass(frozen=True)
class Optimiser:
    """What every optimiser has: its rate and weight decay come from the recipe."""

    def make(
        self, parameters: "ParamsT", learning_rate: float, weight_decay: float, fused: bool
    ) -> "torch.optim.Optimizer":
        """The torch optimiser of weights or groups of them; `fused` makes one kernel of each step's updates."""
        raise NotImplementedError


@dataclass(frozen=True)
class SGD(Optimiser):
    """Stochastic gradient descent with momentum, Nesterov's unless switched off; nnU-Net's (arXiv:1809.10486)."""

    momentum: float = 0.99
    nesterov: bool = True

    def __post_init__(self) -> None:
        check_fields(self, momentum=(0, 0.9999))

    def make(  # noqa: D102
        self, parameters: "ParamsT", learning_rate: float, weight_decay: float, fused: bool
    ) -> "torch.optim.Optimizer":
        import torch

        return torch.optim.SGD(
            parameters,
            learning_rate,
            self.momentum,
            weight_decay=weight_decay,
            nesterov=self.nesterov and self.momentum > 0,
            fused=fused,
        )


@dataclass(frozen=True)
class AdamW(Optimiser):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101)."""

    beta1: float = 0.9
    beta2: float = 0.999

    def __post_init__(self) -> None:
        check_fields(self, beta1=(0, 0.9999), beta2=(0, 0.99999))

    def make(  # noqa: D102
        self, parameters: "ParamsT", learning_rate: float, weight_decay: float, fused: bool
    ) -> "torch.optim.Optimizer":
        import torch

        return torch.optim.AdamW(
            parameters, learning_rate, (self.beta1, self.beta2), weight_decay=weight_decay, fused=fused
        )
