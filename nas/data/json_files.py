"""JSON that users and other programs wrote."""

import json
from pathlib import Path
from typing import Any

from nas.errors import InputError


def read_json(path: Path) -> Any:
    """The content of a JSON file; InputError where it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); correct it or export it again") from error


def shortened(value: Any) -> str:
    """A value as JSON, cut where it is long."""
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
