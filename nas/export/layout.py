"""Breaking lines of source that are too long, where a formatter would."""

WIDTH = 88
"""What `ruff format` and `black` allow by themselves."""

_OPENING = "([{"
_CLOSING = ")]}"


def layout(line: str) -> list[str]:
    """A logical line as one or more lines of source."""
    if len(line) <= WIDTH:
        return [line]
    before, returns, values = line.partition("return ")
    if returns and not before.strip() and len(_split(values, ",")) > 1:
        return _one_a_line(f"{before}return (", _split(values, ","), f"{before})")
    brackets = _first_brackets(line) if line.lstrip().startswith("def ") else _last_brackets(line)
    if brackets is None:
        return [line]
    start, end = brackets
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    inside = line[start + 1 : end]
    parts = _split(inside, ",")
    loops = _split(inside, " for ")
    if len(f"{indent}{inside}") <= WIDTH:
        body = [f"{indent}{inside}"]
    elif len(loops) > 1:
        body = [piece for part in (loops[0], f"for {loops[1]}") for piece in layout(f"{indent}{part}")]
    elif len(parts) > 1:
        body = [piece for part in parts for piece in layout(f"{indent}{part},")]
    else:
        body = layout(f"{indent}{inside}")
    return [line[: start + 1], *body, f"{indent[4:]}{line[end:]}"]


def _one_a_line(opening: str, parts: list[str], closing: str) -> list[str]:
    """A line that opens a bracket, each of the parts in a line of its own, and the line that closes it."""
    indent = " " * (len(closing) - len(closing.lstrip()) + 4)
    return [opening, *(piece for part in parts for piece in layout(f"{indent}{part},")), closing]


def _first_brackets(line: str) -> tuple[int, int]:
    """Those of a function's parameters."""
    return min(_pairs(line))


def _last_brackets(line: str) -> tuple[int, int] | None:
    """The outermost pair of brackets that ends last and holds something."""
    pairs = [(start, end) for start, end in _pairs(line) if end - start > 1]
    return max(pairs, key=lambda pair: (pair[1], -pair[0]), default=None)


def _pairs(line: str) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    opened: list[int] = []
    for position, character in _code(line):
        if character in _OPENING:
            opened.append(position)
        elif character in _CLOSING:
            pairs.append((opened.pop(), position))
    return pairs


def _split(inside: str, separator: str) -> list[str]:
    """The parts between the separators that stand in no brackets."""
    parts, depth, start = [], 0, 0
    for position, character in _code(inside):
        depth += (character in _OPENING) - (character in _CLOSING)
        if depth == 0 and inside.startswith(separator, position):
            parts.append(inside[start:position].strip())
            start = position + len(separator)
    return [*parts, inside[start:].strip()]


def _code(line: str) -> list[tuple[int, str]]:
    """The characters that are in no string, with their positions."""
    found: list[tuple[int, str]] = []
    quoted = False
    for position, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif not quoted:
            found.append((position, character))
    return found
