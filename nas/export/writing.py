"""A class as lines of source."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from nas.export.classes import Class
from nas.export.code import Call, numbers, text
from nas.export.layout import WIDTH, layout
from nas.export.parameters import Parameter
from nas.export.tree import NETWORK

INDENT = "    "


def class_lines(item: Class, name: str, doc: str, names: Sequence[str], check: Sequence[str] = ()) -> list[str]:
    """The source of a class.

    Args:
        item: the class.
        name: what it is called.
        doc: its docstring.
        names: what all classes are called.
        check: lines at the beginning of its `forward`.
    """
    lines = [f"class {name}({item.template.base}):", *_indented(docstring(doc))]
    lines += ["", *_indented(_constructor(item, names))]
    if item.template.forward:
        lines += ["", *_indented(_forward(item, names, check))]
    return lines


def docstring(doc: str) -> list[str]:
    """A docstring, its paragraphs broken anew."""
    first, *rest = [" ".join(paragraph.split()) for paragraph in doc.split("\n\n")]
    room = WIDTH - len(INDENT)
    if not rest and len(first) + 6 <= room:
        return [f'"""{first}"""']
    lines = _wrapped(f'"""{first}', room if rest else room - 3)
    return [*lines, *(line for paragraph in rest for line in ("", *_wrapped(paragraph, room))), '"""']


def _wrapped(paragraph: str, room: int) -> list[str]:
    return textwrap.wrap(paragraph, room, break_long_words=False, break_on_hyphens=False)


def _constructor(item: Class, names: Sequence[str]) -> list[str]:
    made = iter(item.made)
    members = _members(item, made, names)
    attributes = list(made)
    inside = _inside(attributes, [parameter.name for parameter in item.parameters])
    written = iter(["inside" if value and value == inside else value for value in attributes])
    lines = [f"super().__init__({members})"]
    lines += [f"self.{p.name} = {p.name}" for p in item.parameters if f"self.{p.name}" in item.used]
    lines += [f"inside = {inside}"] if inside else []
    lines += [text(line.code, written, names) for line in item.template.attributes]
    given = [_given(parameter) for parameter in item.parameters]
    return _method(f"def __init__({', '.join(['self', *given])}) -> None:", lines)


def _given(parameter: Parameter) -> str:
    default = "" if parameter.default is None else f" = {parameter.default}"
    return f"{parameter.name}: {parameter.annotation}{default}"


def _inside(made: Sequence[str | None], parameters: Sequence[str]) -> str | None:
    """What is worth a name, as it is written again and again: fewer channels than those given."""
    counts = Counter(value for value in made if value and "//" in value)
    often = [value for value, count in counts.most_common(1) if count > 2 and "inside" not in parameters]
    return often[0] if often else None


def _members(item: Class, made: Iterator[str | None], names: Sequence[str]) -> str:
    """The numbered members as the base class is given them."""
    runs: list[str] = []
    start = "0"
    for run in item.template.runs:
        first = [next(made) for _ in numbers((run.constructor,))]
        steps = [next(made) for _ in run.steps]
        stop = next(made) or ""
        runs.append(_run(run.constructor, first, steps, start, stop, names))
        start = stop
    unpacked = ", ".join(f"*({run})" if " for " in run else run for run in runs)
    if not runs or item.template.base == "nn.Sequential":
        return unpacked
    return runs[0] if len(runs) == 1 and " for " in runs[0] else f"[{unpacked}]"


def _run(
    constructor: Call, first: list[str | None], steps: list[str | None], start: str, stop: str, names: Sequence[str]
) -> str:
    """What makes a run of members: one constructor, or a generator."""
    is_known = start.isdigit() and stop.isdigit()
    count = str(int(stop) - int(start)) if is_known else ""
    if count == "1":
        return text((constructor,), iter(first), names)
    index = "index" if is_known or start == "0" else f"(index - {start})"
    grown = [_grown(value, step, index) for value, step in zip(first, steps, strict=True)]
    made = text((constructor,), iter(grown), names)
    variable = "index" if grown != first else "_"
    return f"{made} for {variable} in range({count or (stop if start == '0' else f'{start}, {stop}')})"


def _grown(value: str | None, step: str | None, index: str) -> str | None:
    if value is None or step in (None, "0"):
        return value
    return f"{value} + {index}" if step == "1" else f"{value} + {step} * {index}"


def _forward(item: Class, names: Sequence[str], check: Sequence[str]) -> list[str]:
    used = iter(item.used)
    given = ", ".join(["self", *(f"{name}: Tensor" for name in item.template.parameters)])
    lines = [INDENT * line.depth + text(line.code, used, names) for line in item.template.forward]
    returned = "Tensor" if item.template.outputs == 1 else f"tuple[{', '.join(['Tensor'] * item.template.outputs)}]"
    if item.template.kind == NETWORK and item.template.outputs > 1:
        returned = f"Tensor | {returned}"
    return _method(f"def forward({given}) -> {returned}:", [*check, *lines])


def _method(signature: str, lines: Sequence[str]) -> list[str]:
    return [signature, *(INDENT + line for line in lines)]


def _indented(lines: Sequence[str]) -> list[str]:
    return [piece for line in lines for piece in (layout(INDENT + line) if line else [""])]
