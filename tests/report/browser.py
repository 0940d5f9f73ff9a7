"""A report in a real browser, Debian's chromium, and a command that makes the pictures of the documents.

python -m tests.report.browser docs/pictures
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = os.environ.get("NAS_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
WIDTHS, SCHEMES = (1280, 420), ("light", "dark")


@contextmanager
def browser() -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Containers run as root and without a place for shared memory.
        options = ["--no-sandbox", "--disable-dev-shm-usage", "--use-gl=angle", "--use-angle=swiftshader"]
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield opened
        opened.close()


class Opened:
    """A page that has been drawn, with what it complained of and what it asked for.

    before: a script that is run before the page's own.
    """

    def __init__(self, of: Any, path: Path, *, width: int = 1280, scheme: str = "light", before: str = "") -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page = of.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        if before:
            self.page.add_init_script(before)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._ask)
        self.page.goto(f"file://{path}", timeout=900_000)
        self.page.wait_for_selector("html[data-ready]", state="attached", timeout=900_000)

    def _hear(self, message: Any) -> None:
        if message.type in ("error", "warning", "trace"):  # Plotly warns by tracing
            self.complaints.append(message.text)

    def _ask(self, request: Any) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.requests.append(request.url)


def pictures(folder: Path) -> Iterator[Path]:
    """The top of a report of a made-up study, by day and by night, wide and narrow."""
    from nas.report.writing import write_page
    from tests.report.factories import stored

    with tempfile.TemporaryDirectory() as name, browser() as opened:
        path = Path(name) / "report.html"
        study = stored(90, (0.0625, 0.25, 1.0), name="made-up", data="made-up cases", synthetic=True)
        write_page(study.material, path)
        for width in WIDTHS:
            for scheme in SCHEMES:
                shown = Opened(opened, path, width=width, scheme=scheme)
                shown.page.wait_for_timeout(500)
                to = folder / f"report_{width}_{scheme}.png"
                shown.page.screenshot(path=to, clip={"x": 0, "y": 0, "width": width, "height": 1850}, full_page=True)
                shown.page.close()
                yield to


if __name__ == "__main__":
    for picture in pictures(Path(sys.argv[1])):
        print(picture)
