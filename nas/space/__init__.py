"""The search-space language: choices left open in any frozen dataclass.

`Space` ties a template with open choices to its name and its reference members; `one_of`, `weighted`, `settled`,
`integer`, `real`, `shared`, `repeated` and `following` leave choices open; `knob` says what a field takes.
Nothing here knows what an architecture is.
"""

from nas.space.choices import (
    Choice,
    Chooser,
    Scalar,
    following,
    integer,
    kind,
    one_of,
    real,
    repeated,
    settled,
    shared,
    weighted,
)
from nas.space.knobs import check_knobs, knob
from nas.space.space import Decisions, Reference, Space, to_document

__all__ = [
    "Choice",
    "Chooser",
    "Decisions",
    "Reference",
    "Scalar",
    "Space",
    "check_knobs",
    "following",
    "integer",
    "kind",
    "knob",
    "one_of",
    "real",
    "repeated",
    "settled",
    "shared",
    "to_document",
    "weighted",
]
