"""The pictures of docs/report.md, of made-up studies: `make screenshots`.

python -m tests.screenshots docs/pictures report terminal dashboard gallery
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from nas.report.writing import write_page
from tests.report import serving
from tests.report.browser import Opened, browser
from tests.report.databases import searched
from tests.report.factories import stored
from tests.report.volumes import shown

ROOT = Path(__file__).parents[1]
RUNGS = (0.0625, 0.25, 1.0)
_COLOURS = 128


def main(folder: Path, wanted: list[str]) -> None:
    """Make the pictures that are wanted, all unless some are named."""
    for name in wanted or list(MAKERS):
        with tempfile.TemporaryDirectory() as place, browser() as opened:
            for picture in MAKERS[name](opened, Path(place)):
                path = folder / f"{picture[0]}.png"
                path.write_bytes(picture[1])
                print(f"{path}: {len(picture[1]) // 1000} kB", flush=True)


Pictures = Iterator[tuple[str, bytes]]
"""Names and PNGs."""


def small(png: bytes) -> bytes:
    """The picture with as many colours as a page has, rare ones among them."""
    buffer = BytesIO()
    picture = Image.open(BytesIO(png)).convert("RGB").quantize(_COLOURS, Image.Quantize.MAXCOVERAGE)
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def report(opened: Any, place: Path) -> Pictures:
    """The top by day and, narrow, by night; a chosen network; cases as volumes."""
    study = stored(90, RUNGS, name="made-up", data="made-up cases", synthetic=True)
    _, images = shown(study.material)
    write_page(study.material, place / "report.html", images)
    for name, width, scheme, height in (("report", 1280, "light", 1500), ("report_narrow", 420, "dark", 1400)):
        page = Opened(opened, place / "report.html", width=width, scheme=scheme).page
        clip = {"x": 0, "y": 0, "width": width, "height": height}
        yield name, small(page.screenshot(clip=clip, full_page=True, timeout=1_500_000))
        if scheme == "light":
            yield "report_network", small(_part(page, "#network"))
            page.locator("#volume").scroll_into_view_if_needed()
            page.wait_for_selector("#volume[data-shown='0 0']", timeout=1_500_000)
            page.wait_for_timeout(2_000)
            yield "report_volume", small(_part(page, "#volume"))
        page.close()


def _part(page: Any, selector: str) -> bytes:
    """A part of a page, which moves no more."""
    page.locator(selector).scroll_into_view_if_needed()
    page.wait_for_timeout(1_000)
    clip: dict[str, float] = page.evaluate(
        f"(() => {{ const r = document.querySelector('{selector}').getBoundingClientRect(); return {{"
        "x: r.x + scrollX, y: r.y + scrollY, width: r.width, height: Math.min(r.height, 1300)}; })()"
    )
    picture: bytes = page.screenshot(clip=clip, full_page=True, timeout=1_500_000)
    return picture


def terminal(opened: Any, place: Path) -> Pictures:
    """`nas status --watch` under tmux, in 80 and in 140 columns."""
    with searched(place / "nas.db", stored(16, RUNGS, name="made-up", data="made-up cases", data_source=None)):
        for width in (80, 140):
            text = _screen(f"nas-{os.getpid()}-{width}", width, place / "nas.db")
            page = opened.new_page(viewport={"width": width * 9, "height": 200}, color_scheme="dark")
            page.set_content(_as_page(text, width), timeout=1_500_000)
            yield f"terminal_{width}", small(page.screenshot(full_page=True, timeout=1_500_000))
            page.close()


def _screen(name: str, width: int, database: Path) -> str:
    """What tmux shows, with its colours, once it shows a study."""
    tmux = ["tmux", "-L", name]
    command = f"{sys.executable} -m nas.cli status --watch --storage {database}"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLORTERM": "truecolor"}
    size = ["-x", str(width), "-y", "24"]
    subprocess.run([*tmux, "new-session", "-d", *size, command], check=True, env=environment)
    try:
        for _ in range(600):
            time.sleep(1)
            seen = subprocess.run([*tmux, "capture-pane", "-e", "-p"], capture_output=True, text=True, check=True)
            if "best" in seen.stdout:
                return seen.stdout.rstrip()
        raise SystemExit("nothing was shown in ten minutes")
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)


def _as_page(text: str, width: int) -> str:
    from rich.console import Console
    from rich.terminal_theme import MONOKAI
    from rich.text import Text

    console = Console(record=True, width=width, file=open(os.devnull, "w"), color_system="truecolor")  # noqa: SIM115
    for line in text.splitlines():
        console.print(Text.from_ansi(line), soft_wrap=True)
    style = "margin:0;padding:12px;background:#0c0c0c;color:#d9d9d9;font:14px/1.25 'DejaVu Sans Mono',monospace"
    form = f'<body style="{style}"><pre style="margin:0;font:inherit"><code>{{code}}</code></pre></body>'
    return console.export_html(theme=MONOKAI, inline_styles=True, code_format=form)


def dashboard(opened: Any, place: Path) -> Pictures:
    """optuna-dashboard on a study that goes on: its trials, one of them with note and pictures."""
    study = stored(16, RUNGS, name="made-up", data="made-up cases", data_source=None)
    with searched(place / "nas.db", study), serving.dashboard(place / "nas.db") as server:
        page = opened.new_page(viewport={"width": 1280, "height": 1700})
        _arrive(page, f"{server}/dashboard/studies/1/trials?numbers=0")
        page.wait_for_selector("[src*='/artifacts/']", timeout=1_500_000)
        page.wait_for_timeout(5_000)
        yield "dashboard", small(page.screenshot(timeout=1_500_000))


def _arrive(page: Any, address: str) -> None:
    from playwright.sync_api import Error

    for _ in range(120):
        try:
            page.goto(address, timeout=1_500_000)
            return
        except Error:
            time.sleep(2)
    raise SystemExit("the dashboard does not answer")


def gallery(opened: Any, place: Path) -> Pictures:
    """The published networks of docs/gallery.html."""
    page = opened.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(f"file://{ROOT / 'docs' / 'gallery.html'}", timeout=1_500_000)
    page.locator("svg, img").first.scroll_into_view_if_needed()
    page.wait_for_timeout(1_000)
    yield "gallery", small(page.screenshot(timeout=1_500_000))


MAKERS: Mapping[str, Callable[[Any, Path], Pictures]] = {
    "report": report,
    "terminal": terminal,
    "dashboard": dashboard,
    "gallery": gallery,
}

if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
