"""A network as files that need nas no more: readable PyTorch source, weights and a description."""

from nas.export.folder import write
from nas.export.source import source

__all__ = ["source", "write"]
