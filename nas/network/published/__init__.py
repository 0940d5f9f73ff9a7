"""Weights that others have published, put into networks of the same structure."""

from nas.network.published.loading import load_published

__all__ = ["load_published"]
