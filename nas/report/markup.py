"""Text as markup that cannot be more than text, and values as blocks that a page's script reads."""

import json
import math
from html import escape
from typing import Any

from nas.wording import readable


def data_block(name: str, document: Any) -> str:
    """A value that the script reads by this name; it is no script itself."""
    text = json.dumps(_bare(document), separators=(",", ":"), allow_nan=False)
    # The only way out of such a block is its end tag, or the beginning of a comment.
    safe = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return f'<script type="application/json" id="data-{name}">{safe}</script>'


def plain(value: object) -> str:
    """Text, escaped for markup and for quoted attributes."""
    return escape(readable(str(value)), quote=True)


def _bare(value: Any) -> Any:
    """What JSON has in place of arrays and of what is no number."""
    if isinstance(value, dict):
        return {name: _bare(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_bare(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _bare(value.tolist()) if hasattr(value, "tolist") else value
