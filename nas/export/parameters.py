"""Which numbers of a class are parameters of its constructor, what they are called, and what stands for the others."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from nas.export.code import Number, Value

ROLES = ("inputs", "skip_channels", "channels")
"""The channels of what a module is given, of what joins it, and of what it returns. They come first, in this order."""

JOINED = "joined"
"""The last word of the name of channels that are those of several tensors side by side.

They are a sum, and no other number although it may be equal.
"""

Values = tuple[Value, ...]
"""One value for each module of a class."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a constructor, and what it is for each module of the class."""

    name: str
    values: Values
    default: Value = None

    @property
    def keyword(self) -> str:
        """What it is given by; nothing if by position."""
        return "" if self.name in ROLES else self.name

    @property
    def annotation(self) -> str:
        """Its type."""
        kinds = sorted({"tuple[int, ...]" if isinstance(v, tuple) else type(v).__name__ for v in self.values})
        return " | ".join(kinds)


@dataclass(frozen=True)
class Column:
    """One number of a class, as it is in each of its modules."""

    name: str
    values: Values
    defaults: Values

    @property
    def family(self) -> str:
        """Numbers of one family may share a parameter."""
        word = self.name.rpartition("_")[2]
        return {"inputs": "channels", "groups": "channels", "padding": "dilation"}.get(word, word)


def columns(rows: Sequence[Iterable[Number]]) -> list[Column]:
    """The numbers of modules of one class, each in all of them."""
    return [
        Column(numbers[0].name, tuple(n.value for n in numbers), tuple(n.default for n in numbers))
        for numbers in zip(*rows, strict=True)
    ]


class Parameters:
    """The parameters of one class.

    Args:
        table: the class's numbers.
        roles: the channels that its modules have in each role.
        varying: the roles in which modules of this kind differ, those of other classes counted.
    """

    def __init__(self, table: Sequence[Column], roles: Mapping[str, Values], varying: Set[str]):
        self._roles = roles
        self._varying = varying
        self._found: dict[tuple[str, Values], Parameter] = {}
        open_columns = [column for column in table if column.values != column.defaults]
        for role in ("channels", "inputs", "skip_channels"):
            wanted = ("channels", roles.get(role))
            if role in varying and any((column.family, column.values) == wanted for column in open_columns):
                self._add_role(role)
        for column in open_columns:
            if self.text(column) is None:
                self._add(column, table)

    def ordered(self) -> list[Parameter]:
        """The parameters as a constructor takes them."""
        ranks = {role: rank for rank, role in enumerate(ROLES)}
        return sorted(
            self._found.values(), key=lambda item: (item.default is not None, ranks.get(item.name, len(ranks)))
        )

    def text(self, column: Column) -> str | None:
        """What stands for a number; None where it is left out, or is to be a parameter."""
        if column.values == column.defaults:
            return None
        known = self._found.get((column.family, column.values))
        if known:
            return known.name
        if column.family == JOINED and (total := self._total(column.values)):
            return total
        if column.family == "channels" and (expression := self._expression(column.values)):
            return expression
        return repr(column.values[0]) if len(set(column.values)) == 1 else None

    def _expression(self, values: Values) -> str | None:
        """Channels written by means of those the constructor is given anyway."""
        roles = [item for item in self.ordered() if item.name in ROLES] if len(set(values)) > 1 else []
        for item in roles:
            for factor in (2, 3, 4, 8, 16):
                if _times(values, factor) == item.values:
                    return f"{item.name} // {factor}"
                if _times(item.values, factor) == values:
                    return f"{item.name} * {factor}"
        return self._total(values)

    def _total(self, values: Values) -> str | None:
        """Channels as the sum of those that join; nothing where all modules of the kind have the same."""
        for role in ("channels", "inputs"):
            if not {role, "skip_channels"} & self._varying:
                continue
            if values == _sum(self._roles.get(role, ()), self._roles.get("skip_channels", ())):
                first, second = self._written_role(role), self._written_role("skip_channels")
                return f"2 * {first}" if first == second else f"{first} + {second}"
        return None

    def _written_role(self, role: str) -> str:
        """A role's parameter, or its channels where all modules of the kind have the same."""
        return self._add_role(role) if role in self._varying else repr(self._roles[role][0])

    def _add_role(self, role: str) -> str:
        key = ("channels", self._roles[role])
        return self._found.setdefault(key, Parameter(role, self._roles[role])).name

    def _add(self, column: Column, table: Sequence[Column]) -> None:
        family = column.family
        same = {other.name for other in table if other.values == column.values and other.family == family}
        name = family if family in same else "inside" if column.name in ("inputs", "channels") else column.name
        name = name.replace(JOINED, "inputs") if name != JOINED else "inside"
        names = {item.name for item in self._found.values()}
        number = 2
        unique = name
        while unique in names:
            unique, number = f"{name}_{number}", number + 1
        default = 1 if name in ("stride", "dilation") and 1 in column.values else None
        self._found[family, column.values] = Parameter(unique, column.values, default)


def _times(values: Values, factor: int) -> Values:
    return tuple(value * factor if isinstance(value, int) else value for value in values)


def _sum(first: Values, second: Values) -> Values:
    return tuple(a + b if isinstance(a, int) and isinstance(b, int) else a for a, b in zip(first, second, strict=False))
