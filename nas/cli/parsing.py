"""Numbers as people type them."""

import re

from nas.errors import InputError


def parse_sizes(text: str, option: str) -> tuple[int, ...]:
    """Voxels per axis in "64,64" or "40x56x40".

    Raises:
        InputError: anything else.
    """
    parts = re.split(r"[,x]", text)
    if not all(part.strip().isdigit() for part in parts):
        raise InputError(f"{option}: found {text!r}, expected whole numbers such as 64,64 or 40,56,40")
    return tuple(int(part) for part in parts)


def parse_shares(text: str, option: str) -> tuple[float, ...]:
    """Numbers in "0.25,1".

    Raises:
        InputError: anything else.
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{option}: found {text!r}, expected shares such as 0.25,1") from None


def parse_bytes(text: str, option: str) -> int:
    """Bytes in "800M", "4G", "24GiB" or a plain number; multiples of 1024.

    Raises:
        InputError: anything else.
    """
    return _scaled(text, 1024, option, "bytes such as 800M or 4G")


def parse_count(text: str, option: str) -> int:
    """A number such as "500000", "5M" or "2.5G"; multiples of 1000.

    Raises:
        InputError: anything else.
    """
    return _scaled(text, 1000, option, "a number such as 500000, 5M or 2.5G")


def parse_seconds(text: str, option: str) -> float:
    """Seconds in "20ms", "0.02s" or "0.02".

    Raises:
        InputError: anything else.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|)", text.strip())
    if not match or float(match[1]) == 0:
        raise InputError(f"{option}: found {text!r}, expected a time such as 20ms or 0.5s")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


def _scaled(text: str, base: int, option: str, expected: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if not match or float(match[1]) == 0:
        raise InputError(f"{option}: found {text!r}, expected {expected}")
    power = " KMGT".index(match[2].upper() or " ")
    return round(float(match[1]) * float(base) ** power)
