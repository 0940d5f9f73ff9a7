"""Weights that others have published, put into networks of the same structure."""

from nas.network.published.encoder import Loaded, encoder_tensors, load_encoder
from nas.network.published.fetching import fetched, is_name
from nas.network.published.loading import load_published
from nas.network.published.matching import MisfitError
from nas.network.published.reading import Weights, files_at, read_weights

__all__ = [
    "Loaded",
    "MisfitError",
    "Weights",
    "encoder_tensors",
    "fetched",
    "files_at",
    "is_name",
    "load_encoder",
    "load_published",
    "read_weights",
]
