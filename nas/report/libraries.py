"""The JavaScript libraries of a page: they stand in it packed, less than half as large, and it unpacks them.

A packed library is data, so nothing in it can end the block it stands in. NiiVue is in `vendor/`, with its licence and
where it is from; Plotly's comes with its Python package.
"""

import gzip
from base64 import b64encode
from importlib.resources import files

_LEVEL = 6
"""Of packing; more takes longer and saves no percent."""


def plotly() -> str:
    """A block that holds Plotly."""
    from plotly.offline import get_plotlyjs

    return _block("plotly", gzip.compress(str(get_plotlyjs()).encode(), _LEVEL, mtime=0))


def niivue() -> str:
    """A block that holds NiiVue, which shows volumes."""
    return _block("niivue", (files("nas.report") / "vendor" / "niivue.js.gz").read_bytes())


def licences() -> str:
    """Of NiiVue and of what is inside it."""
    return (files("nas.report") / "vendor" / "niivue.txt").read_text(encoding="utf-8")


def own(name: str) -> str:
    """A script or style of the page itself."""
    return (files("nas.report") / name).read_text(encoding="utf-8")


def _block(name: str, packed: bytes) -> str:
    return f'<script type="application/gzip" id="library-{name}">{b64encode(packed).decode()}</script>'
