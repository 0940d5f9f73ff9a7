"""Units of length as files spell them, and resolutions that measure nothing."""

import re
import unicodedata

MILLIMETRES = {
    "m": 1e3,
    "cm": 1e1,
    "mm": 1.0,
    "um": 1e-3,
    "nm": 1e-6,
    "pm": 1e-9,
    "a": 1e-7,
    "in": 25.4,
    "mil": 0.0254,
    "thou": 0.0254,
}
"""Millimetres in a unit, by its symbol."""
PREFIXES = {"": "", "centi": "c", "milli": "m", "micro": "u", "nano": "n", "pico": "p"}
OTHER_WORDS = {"micron": "um", "angstrom": "a", "å": "a", "inch": "in", "inche": "in", '"': "in"}
NO_LENGTHS = {"", "pixel", "px", "pix", "voxel", "unit", "none", "null", "unknown", "arbitrary", "referenceframe"}
"""What stands where a unit would, and says that there is none."""

PRINTED = (1, 2.54, 72, 75, 96, 100, 120, 150, 180, 200, 240, 300, 350, 360, 400, 600, 720, 1200, 2400)
"""Dots an inch that programs write by default, for screens and printers; 1 an inch or a centimetre for nothing."""
NEAR_PRINTED = 1e-3


def millimetres(unit: str) -> float | None:
    """Millimetres in a unit of length, however it is spelt: µm, \\u00B5m, um, microns, Micrometres; None for others."""
    return MILLIMETRES.get(_symbol(_word(unit)))


def is_no_length(unit: str) -> bool:
    """Whether the word says that there is no unit: empty, pixel."""
    return _word(unit) in NO_LENGTHS


def is_printed(per_inch: float) -> bool:
    """Whether a resolution is one of screens and printers, which says nothing of what the picture shows."""
    return any(abs(per_inch - printed) <= NEAR_PRINTED * printed for printed in PRINTED)


def _word(unit: str) -> str:
    """In small letters, without escapes (Fiji writes the micro sign as \\u00B5), plural, dots and spaces."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda escaped: chr(int(escaped[1], 16)), unit)
    text = unicodedata.normalize("NFKC", text).strip("\0").casefold()  # one micro sign of the two
    text = re.sub(r"[\s._]", "", text)
    return text[:-1] if len(text) > 2 and text.endswith("s") else text


def _symbol(word: str) -> str:
    if word in OTHER_WORDS:
        return OTHER_WORDS[word]
    written_out = re.fullmatch("([a-z]*)met(?:er|re)", word)
    if written_out and written_out[1] in PREFIXES:
        return f"{PREFIXES[written_out[1]]}m"
    return word.replace("μ", "u")
