"""Where networks are trained."""

import torch

from nas.errors import InputError, field_named


def pick_device(wanted: str | None) -> torch.device:
    """The device asked for, or a GPU if there is one, else the CPU.

    Raises:
        InputError: it is unknown or not there.
    """
    try:
        device = torch.device(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"{field_named('device')}: found {wanted!r}, expected cpu, cuda or cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(
            f"{field_named('device')}: {wanted} is not there, torch sees {torch.cuda.device_count()} GPUs; use cpu"
        )
    return device
