"""Published weights by name, from the library that publishes them, where it is installed and the network allows."""

import importlib
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from nas.errors import InputError

_NAME = re.compile(r"(torchvision|timm):([\w.-]+)")


def is_name(text: str) -> bool:
    """Whether a text names weights of a library, as torchvision:resnet50 does, and no file."""
    return _NAME.fullmatch(text) is not None


def fetched(name: str, folder: Path) -> Path:
    """The file of the weights of a name; downloaded where it is not in the folder yet.

    Args:
        name: a library and what it calls the network: torchvision:resnet50, timm:seresnet50.ra2_in1k.
        folder: where files are kept.

    Raises:
        InputError: the library is not installed, has no such weights, or cannot be reached.
    """
    match = _NAME.fullmatch(name)
    assert match is not None
    file = folder / f"{match[1]}-{match[2]}.safetensors"
    if file.is_file():
        return file
    try:
        state = _STATES[match[1]](match[2])
    except ImportError:
        raise InputError(f"{name}: {match[1]} is not installed; pip install {match[1]}, or give a file") from None
    except Exception as error:  # whatever the library raises of a name or of a network that it cannot reach
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"{name}: {match[1]} cannot give these weights ({reason}); give a file of them") from None
    _write(state, file)
    return file


def _of_torchvision(model: str) -> Mapping[str, Tensor]:
    published = importlib.import_module("torchvision.models").get_model_weights(model).DEFAULT
    state: Mapping[str, Tensor] = published.get_state_dict(progress=False, check_hash=True)
    return state


def _of_timm(model: str) -> Mapping[str, Tensor]:
    network = importlib.import_module("timm").create_model(model, pretrained=True)
    state: Mapping[str, Tensor] = network.state_dict()
    return state


_STATES: Mapping[str, Callable[[str], Mapping[str, Tensor]]] = {"torchvision": _of_torchvision, "timm": _of_timm}


def _write(state: Mapping[str, Tensor], file: Path) -> None:
    """All of it or nothing."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: tensor.contiguous() for name, tensor in state.items()}, part)
        part.replace(file)
    except OSError as error:
        raise InputError(f"{file}: cannot be written ({error.strerror}); make room there") from None
    finally:
        part.unlink(missing_ok=True)
