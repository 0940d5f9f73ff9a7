"""Files of weights: safetensors, or what torch.save wrote, of which nothing but tensors and plain values is read."""

import hashlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from nas.errors import InputError

ENDINGS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar")
"""Of the files in a folder that are taken for weights."""
_STATES = ("state_dict", "network_weights", "model_state_dict", "model")
"""Under which names checkpoints hold a state dict: Lightning and MONAI, nnU-Net, torch's tutorials, timm."""
_SCALARS = ("float64", "float32", "int64", "bool")


@dataclass(frozen=True)
class Weights:
    """A file of weights as it was read: where it lies, the SHA-256 of its bytes, and its tensors by name."""

    path: Path
    sha256: str
    state: Mapping[str, Tensor] = field(repr=False)

    @property
    def shapes(self) -> "Weights":
        """The same without any values: its tensors on torch's meta device."""
        return Weights(self.path, self.sha256, {name: tensor.to("meta") for name, tensor in self.state.items()})


def read_weights(path: str | Path) -> Weights:
    """The tensors in a file. Nothing in it is executed: of a pickle only tensors and plain values are read.

    Raises:
        InputError: it is missing, cannot be read, is no file of weights, or would have to be executed.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: not found; give a file of weights, such as resnet50.safetensors") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give a file of weights") from None
    return Weights(path, hashlib.sha256(content).hexdigest(), _state(path, _document(path, content)))


def files_at(path: str | Path) -> tuple[Path, ...]:
    """The file of weights at a path, or those in a folder, in the order of their names.

    Raises:
        InputError: there is none.
    """
    path = Path(path)
    if not path.is_dir():
        return (path,)
    files = tuple(sorted(file for file in path.iterdir() if file.suffix in ENDINGS))
    if not files:
        raise InputError(f"{path}: holds no file of weights; expected files that end in {', '.join(ENDINGS)}")
    return files


def _document(path: Path, content: bytes) -> Any:
    if content[8:9] == b"{":  # safetensors: the length of the header, then the header as JSON
        try:
            return load(content)
        except SafetensorError as error:
            raise InputError(f"{path}: is no whole file of safetensors ({error}); copy it again") from None
    try:
        with torch.serialization.safe_globals(_plain_numbers()):
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a file that is no checkpoint makes of torch's reader
        named = re.search(r"GLOBAL (\S+)", str(error))
        reason = f"it would have to execute {named[1]}" if named else "it is neither safetensors nor of torch.save"
        raise InputError(
            f"{path}: cannot be read as weights, as {reason}; expected tensors by name, as "
            "safetensors.torch.save_file(module.state_dict(), path) writes them"
        ) from None


def _state(path: Path, document: Any) -> dict[str, Tensor]:
    """The state dict in what a file holds, itself or one of its entries."""
    options = [document]
    if isinstance(document, Mapping):
        options += [document[name] for name in _STATES if name in document]
    for option in options:
        if isinstance(option, Mapping):
            state = {str(name): tensor for name, tensor in option.items() if isinstance(tensor, Tensor)}
            if state:
                return state
    kind = (
        f"a dictionary of {', '.join(map(str, list(document)[:5]))}"
        if isinstance(document, Mapping)
        else "no dictionary"
    )
    raise InputError(f"{path}: found {kind}, expected tensors by name, or {', '.join(_STATES)} that hold them")


def _plain_numbers() -> list[Any]:
    """NumPy's numbers, which nnU-Net's checkpoints hold beside the weights: built from bytes, nothing is called."""
    scalar = np.float64(0).__reduce__()[0]
    kinds = [type(np.dtype(name)) for name in _SCALARS]
    # Under the name that NumPy had before version 2 as well.
    return [scalar, (scalar, "numpy.core.multiarray.scalar"), np.dtype, *kinds]
