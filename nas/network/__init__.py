"""From graph to `torch.nn.Module`."""

from nas.network.network import Network, build

__all__ = ["Network", "build"]
