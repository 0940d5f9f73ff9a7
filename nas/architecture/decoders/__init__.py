"""Decoders that do more than climb level by level, one file each."""

from nas.architecture.decoders.linked import Linked
from nas.architecture.decoders.nested import Nested

__all__ = ["Linked", "Nested"]
