"""From graph to `torch.nn.Module`, and how to run it fastest."""

from nas.network.network import Network, build
from nas.network.published import load_encoder, load_published, read_weights
from nas.network.running import StepPlan, choose_plan, default_plan

__all__ = [
    "Network",
    "StepPlan",
    "build",
    "choose_plan",
    "default_plan",
    "load_encoder",
    "load_published",
    "read_weights",
]
