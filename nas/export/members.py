"""Where a module keeps its layers and submodules, and how its code refers to them."""

from collections.abc import Iterable
from dataclasses import dataclass
from keyword import iskeyword
from typing import Union

from nas.export.tree import Step

Held = Union[Step, "Members"]


@dataclass(frozen=True, eq=False)
class Members:
    """What stands below a module, or below a list in it, by name."""

    held: dict[str, Held]

    @property
    def is_list(self) -> bool:
        """Whether the names are 0, 1, 2 and so on."""
        return list(self.held) == [str(index) for index in range(len(self.held))]

    @property
    def items(self) -> list[Step]:
        """What is numbered from 0, if anything is."""
        numbered = [(name, held) for name, held in self.held.items() if name.isdigit()]
        if [name for name, _ in numbered] != [str(index) for index in range(len(numbered))]:
            return []
        return [held for _, held in numbered if isinstance(held, Step)]

    @property
    def others(self) -> dict[str, Held]:
        """All that is not among the items."""
        items = self.items
        return {name: held for name, held in self.held.items() if held not in items}

    def reference(self, path: str) -> str:
        """What the module's own code calls the layer or submodule at a path below it."""
        first, *rest = path.split(".")
        if first in self.others:
            expression = f"self.{first}" if is_attribute(first) else f'getattr(self, "{first}")'
        else:
            expression = f"self[{first}]"
        holder = self.held[first]
        for name in rest:
            assert isinstance(holder, Members)
            expression += f"[{name}]" if holder.is_list else f'["{name}"]'
            holder = holder.held[name]
        return expression

    def sequence(self, path: str, first: int, stop: int) -> str:
        """The items of the list at a path, or of the module itself for "", all of them; see `is_whole`."""
        assert self.is_whole(path, first, stop)
        if not path:
            return "self"
        return self.reference(path) if self._at(path).is_list else f"{self.reference(path)}.values()"

    def is_whole(self, path: str, first: int, stop: int) -> bool:
        """Whether these are all items of the list at a path, and it holds nothing else."""
        wanted = [str(index) for index in range(first, stop)]
        holder = self if not path else self._at(path)
        return list(holder.held) == wanted and (holder.is_list or bool(path))

    def _at(self, path: str) -> "Members":
        holder: Held = self
        for name in path.split(".") if path else ():
            assert isinstance(holder, Members)
            holder = holder.held[name]
        assert isinstance(holder, Members)
        return holder


def members(steps: Iterable[Step]) -> Members:
    """What a module with these steps keeps."""
    root: dict[str, Held] = {}
    for step in steps:
        if step.is_kept:
            *path, name = step.name.split(".")
            holder = root
            for part in path:
                below = holder.setdefault(part, Members({}))
                assert isinstance(below, Members)
                holder = below.held
            holder[name] = step
    return Members(root)


def is_attribute(name: str) -> bool:
    """Whether `self.name` is how Python would write it."""
    return name.isidentifier() and not iskeyword(name)
