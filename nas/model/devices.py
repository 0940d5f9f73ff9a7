"""The device that a user names."""

import torch

from nas.errors import InputError


def chosen_device(name: str | None) -> torch.device:
    """The device of a name; without one a GPU where there is one.

    Raises:
        InputError: there is no such device here.
    """
    if name is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"--device: {name!r} cannot be used ({reason}); expected cpu, cuda or cuda:1") from None
    return device
