"""A table as values and as a file: a first line that says how it was made, then a line of JSON for each training."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from statistics import mean
from typing import Any

from nas.catalog import is_file, shipped_folder, unknown
from nas.errors import InputError
from nas.study.history import Document, State

FORMAT = 1
"""Goes up whenever tables are written in another way."""
ENDING = ".jsonl"
DIGITS = 4
"""After the point, of Dice and losses in the file."""
TENTHS = 10
"""Parts of a training after which the Dice of its patches is kept."""

Key = tuple[str, str]
"""Digests of network and recipe."""
Scores = tuple[tuple[float, ...], ...]
"""Dice of each case and target; NaN where neither label nor prediction has the target."""


@dataclass(frozen=True, kw_only=True)
class Making:
    """How a table was made; what must agree for it to go on.

    `study` is the name of the study recipe, `coarser` how many times larger voxels are than planned. `members` is how
    many trainings space and recipe offer, each of another network or recipe, and `rungs` the shares of a training after
    which the cases `looked_at` are segmented; at the end all `cases` are. One of `twice` members is trained with two
    seeds.
    """

    study: str
    space: str
    space_digest: str
    recipe: Document
    coarser: float
    data: str
    data_digest: str
    task: Document
    preprocessing: Document
    members: int
    rungs: tuple[float, ...]
    cases: tuple[str, ...]
    looked_at: tuple[str, ...]
    targets: tuple[str, ...]
    twice: int
    command: str
    versions: Document
    format: int = FORMAT


@dataclass(frozen=True, kw_only=True)
class Row:
    """One training of a member, the `number`th in the table's own order.

    `training_dice` and `losses` are of every tenth of the training; `looks` are the Dice of a few cases at each rung
    but the last, and `scores` that of all cases at the end. `seconds` of one core went into the steps, and so many into
    segmenting: `look_seconds` for the few cases of a rung, `score_seconds` for all cases.
    """

    number: int
    seed: int
    decisions: Document
    digest: str
    recipe_digest: str
    parameters: int
    macs: int
    reference: str | None = None
    state: State = State.COMPLETE
    reason: str | None = None
    training_dice: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    looks: tuple[Scores, ...] = ()
    scores: Scores = ()
    seconds: float = 0.0
    look_seconds: float = 0.0
    score_seconds: float = 0.0

    @property
    def key(self) -> Key:
        """What makes two rows one member."""
        return self.digest, self.recipe_digest

    @cached_property
    def dice(self) -> float:
        """Mean Dice of all cases at the end, as a search measures it; NaN where there is none."""
        return mean_dice(self.scores)


def mean_dice(scores: Scores) -> float:
    """The mean over targets of the mean over the cases that have them; NaN without any."""
    columns = [[value for value in column if value == value] for column in zip(*scores, strict=True)]
    means = [mean(column) for column in columns if column]
    return mean(means) if means else math.nan


@dataclass(frozen=True)
class Table:
    """What was trained of a space, a fair sample of it while it is not whole."""

    name: str
    making: Making
    rows: tuple[Row, ...]

    @cached_property
    def firsts(self) -> Mapping[Key, Row]:
        """Of each member, the training that a replay looks up: that of the first seed."""
        return {row.key: row for row in reversed(self.rows) if row.seed == min(self._seeds)}

    @cached_property
    def pairs(self) -> tuple[tuple[Row, Row], ...]:
        """Members that were trained twice, with different seeds."""
        others = {row.key: row for row in self.rows if row.seed != min(self._seeds)}
        return tuple((row, others[row.key]) for row in self.firsts.values() if row.key in others)

    @property
    def is_whole(self) -> bool:
        """Whether every member was trained."""
        return len(self.firsts) == self.making.members

    @property
    def in_words(self) -> str:
        """How complete it is, in words."""
        count = f"{len(self.firsts)} of {self.making.members} members"
        return f"{self.name}: {'whole, ' if self.is_whole else 'partial, '}{count}, {len(self.pairs)} with two seeds"

    @cached_property
    def best(self) -> Row:
        """The member with the highest Dice.

        Raises:
            InputError: none has one.
        """
        scored = [row for row in self.firsts.values() if row.dice == row.dice]
        if not scored:
            raise InputError(f"table {self.name}: no training has a Dice; go on with nas tabulate")
        return max(scored, key=lambda row: row.dice)

    @cached_property
    def _seeds(self) -> set[int]:
        return {row.seed for row in self.rows} or {0}


def table_names() -> tuple[str, ...]:
    """The names of the shipped tables."""
    return tuple(sorted(file.stem for file in _shipped().glob(f"*{ENDING}")))


def load_table(name: str | Path) -> Table:
    """The table of a name, or of a file.

    Raises:
        InputError: there is no such table, or it is damaged beyond its last line.
    """
    text = str(name)
    if is_file(text, ENDING):
        return read_table(Path(name))
    if text not in table_names():
        raise unknown("table", text, table_names(), ENDING)
    return read_table(_shipped() / f"{text}{ENDING}")


def read_table(file: Path) -> Table:
    """The table of a file; a last line that was cut short is left out. Nothing in it is executed.

    Raises:
        InputError: it cannot be read, or is no table of this format.
    """
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"table {file}: cannot be read ({error}); make one with nas tabulate") from None
    try:
        making = _making(json.loads(lines[0]))
        rows = tuple(_row(json.loads(line)) for line in lines[1:-1])
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"table {file}: found {type(error).__name__} {error}, expected what nas tabulate of format {FORMAT} wrote; "
            "make it anew"
        ) from None
    return Table(file.stem, making, rows)


def first_line(making: Making) -> str:
    """The beginning of a table's file."""
    return _line(asdict(making))


def line_of(row: Row) -> str:
    """The line of a training; what is as by default is left out, and figures are as short as may be."""
    defaults = {item.name: item.default for item in fields(Row)}
    document = {name: value for name, value in asdict(row).items() if value != defaults[name]}
    return _line({name: value if name == "decisions" else _rounded(value) for name, value in document.items()})


def _line(document: Document) -> str:
    return json.dumps(document, separators=(",", ":"), allow_nan=False) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None  # JSON has no NaN
    return [_rounded(item) for item in value] if isinstance(value, tuple) else value


def _making(document: Any) -> Making:
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']!r}")
    tuples = {name: tuple(document[name]) for name in ("rungs", "cases", "looked_at", "targets")}
    return Making(**{**document, **tuples})


def _row(document: Any) -> Row:
    changes: dict[str, Any] = {
        "state": State(document.get("state", State.COMPLETE)),
        "training_dice": tuple(_numbers(document.get("training_dice", ()))),
        "losses": tuple(_numbers(document.get("losses", ()))),
        "looks": tuple(_scores(look) for look in document.get("looks", ())),
        "scores": _scores(document.get("scores", ())),
    }
    return Row(**{**document, **changes})


def _scores(rows: Sequence[Sequence[float | None]]) -> Scores:
    return tuple(tuple(_numbers(row)) for row in rows)


def _numbers(values: Sequence[float | None]) -> Iterator[float]:
    return (math.nan if value is None else float(value) for value in values)


def _shipped() -> Path:
    return shipped_folder("studies") / "tables"
