"""The report as a reader meets it: it opens, a click shows a network, nothing is asked of a network."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from wsgiref.simple_server import make_server

import pytest
from PIL import Image as Picture

from nas.report.dashboard import Pictured, Pictures
from nas.report.writing import write_page
from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import open_storage
from tests.report.browser import CHROMIUM, Opened, browser
from tests.report.factories import HOSTILE, stored
from tests.report.test_dashboard import fill
from tests.report.test_figures import STUDIES
from tests.report.volumes import shown as with_volumes
from tests.study.conftest import SETTINGS

NEEDED = {"chromium": CHROMIUM, "playwright": importlib.util.find_spec("playwright")}
MISSING = [name for name, there in NEEDED.items() if not there]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:playwright"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_page(stored(40, (0.25, 1.0)).material, path)
    return path


def until(page: Any, condition: str) -> None:
    """Wait; playwright's own way evaluates text inside the page, which its policy forbids."""
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"not within a minute: {condition}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 420])
def test_it_opens_without_a_complaint_and_asks_for_nothing(
    chromium: Any, report: Path, width: int, scheme: str
) -> None:
    shown = Opened(chromium, report, width=width, scheme=scheme)
    assert shown.complaints == []
    assert shown.requests == [f"file://{report}"]
    assert shown.page.locator(".plot .main-svg").count() >= 10
    # Nothing sticks out to the side: the page never scrolls sideways, figures do in frames of their own.
    assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
    shown.page.close()


def test_a_click_on_a_point_shows_its_network(chromium: Any, report: Path) -> None:
    shown = Opened(chromium, report)
    page = shown.page
    first = page.locator("[data-network]").get_attribute("data-network")
    # A published network is a square of its own: its mark is clicked where it stands.
    place = page.evaluate(
        """() => {
            const plot = document.querySelector('[data-figure=front]');
            const index = plot.data.findIndex((trace) => trace.name === 'published');
            const trace = plot._fullData[index], layout = plot._fullLayout;
            plot.scrollIntoView({block: 'center'});
            const frame = plot.getBoundingClientRect();
            return {number: plot.data[index].customdata[0],
                    x: frame.left + layout.xaxis._offset + layout.xaxis.d2p(trace.x[0]),
                    y: frame.top + layout.yaxis._offset + layout.yaxis.d2p(trace.y[0])};
        }"""
    )
    page.mouse.move(place["x"], place["y"])
    page.wait_for_timeout(300)
    page.mouse.click(place["x"], place["y"])
    page.wait_for_selector(f"[data-network='{place['number']}']", timeout=120_000)
    assert str(place["number"]) != first
    assert page.locator("[data-network] img").count() == 1
    page.wait_for_selector("[data-network] .curve .main-svg", timeout=120_000)
    assert page.locator("#details h3").inner_text() in ("U-Net BN", "Residual U-Net", "U-Net++ R18")
    assert shown.complaints == []
    page.close()


def test_a_network_is_chosen_with_the_keyboard_alone(chromium: Any, report: Path) -> None:
    page = Opened(chromium, report).page
    before = page.locator("[data-network]").get_attribute("data-network")
    page.locator("#choose").focus()
    page.keyboard.press("ArrowDown")
    until(page, f"document.querySelector('[data-network]').dataset.network !== '{before}'")
    page.close()


def test_a_study_in_optuna_s_dashboard_shows_note_and_picture(chromium: Any, tmp_path: Path) -> None:
    dashboard = pytest.importorskip("optuna_dashboard", reason="not installed: pip install 'nas[dashboard]'")
    with open_storage(str(tmp_path / "nas.db")) as storage:
        fill(create_or_resume(storage, SETTINGS))
        pictures = Pictures(storage)
        app = dashboard.wsgi(Pictured(storage.optuna, pictures), artifact_store=pictures)
        with answering(app) as address:
            page, asked = chromium.new_page(), list[str]()
            page.on("request", lambda request: asked.append(request.url))
            page.goto(f"{address}/dashboard/studies/1/trials?numbers=0", timeout=300_000)
            page.wait_for_selector("text=dice: 0.5000", timeout=300_000)
            page.wait_for_selector("[src*='/artifacts/1/']", timeout=300_000)
            until(
                page,
                "[...document.images].some((image) => image.src.includes('/artifacts/') && image.naturalWidth > 0)",
            )
            assert {url for url in asked if not url.startswith((address, "data:", "blob:"))} == set()
            page.close()


@contextmanager
def answering(app: Any) -> Iterator[str]:
    """A server of this application and its address."""
    with make_server("127.0.0.1", 0, app) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_hostile_names_are_text(chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    write_page(STUDIES["hostile"]().material, path)
    shown = Opened(chromium, path)
    shown.page.wait_for_timeout(500)
    assert shown.page.evaluate("window.hurt") is None
    assert shown.complaints == []
    assert shown.requests == [f"file://{path}"]
    assert shown.page.locator("img[src='x']").count() == 0
    assert HOSTILE[:24] in shown.page.locator("#details h3").inner_text()
    shown.page.close()


@pytest.mark.parametrize("name", ["no network", "one network", "all failed", "three objectives", "running"])
def test_every_kind_of_study_opens(chromium: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / "report.html"
    write_page(STUDIES[name]().material, path)
    shown = Opened(chromium, path)
    assert shown.complaints == []
    shown.page.close()


def test_it_prints_on_paper(chromium: Any, report: Path, tmp_path: Path) -> None:
    shown = Opened(chromium, report, scheme="dark")
    pdf = shown.page.pdf(path=str(tmp_path / "report.pdf"), format="A4")
    assert pdf.startswith(b"%PDF")
    assert shown.complaints == []
    shown.page.close()


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("volumes") / "report.html"
    material, images = with_volumes(stored(6).material)
    write_page(material, path, images)
    return path


def drawn(canvas: Any) -> bytes:
    """A picture of the canvas; its own screenshot would wait for even frames, of which a busy machine has none."""
    picture: bytes = canvas.page.screenshot(clip=canvas.bounding_box())
    return picture


def test_a_case_is_turned_and_scrolled_as_a_volume(chromium: Any, volumes: Path) -> None:
    shown = Opened(chromium, volumes, width=420)
    page, block, canvas = shown.page, shown.page.locator("#volume"), shown.page.locator("#volume-canvas")
    block.scroll_into_view_if_needed()
    page.wait_for_selector("#volume[data-shown='0 0']", timeout=300_000)
    assert page.locator("#details .panels img").count() == 6  # the chosen network's cases stand with it
    place = canvas.bounding_box()
    page.wait_for_timeout(500)
    first = drawn(canvas)
    colours = len(Picture.open(BytesIO(first)).convert("RGB").getcolors(1 << 24))
    assert colours > 100  # something is there, not one even ground

    def settled(what: str) -> bytes:
        page.wait_for_timeout(500)
        picture = drawn(canvas)
        assert picture != first, what
        return picture

    x, y = place["x"] + place["width"] * 0.5, place["y"] + place["height"] * 0.25
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y + 40, steps=4)
    page.mouse.up()
    turned = settled("a drag turns it")
    assert page.locator("#volume-turn").input_value() != "120"
    page.locator("#volume-slice").focus()
    page.keyboard.press("Home")
    scrolled = settled("the slider goes through slices")
    assert scrolled != turned
    page.select_option("#volume-seen", "1")
    page.wait_for_selector("#volume[data-shown='0 1']", timeout=120_000)
    page.select_option("#volume-case", "2")
    page.wait_for_selector("#volume[data-shown='2 1']", timeout=120_000)
    page.select_option("#volume-seen", label="nobody")
    page.wait_for_selector("#volume[data-shown='2 3']", timeout=120_000)
    assert shown.complaints == []
    assert shown.requests == [f"file://{volumes}"]
    page.close()


def test_the_wheel_scrolls_the_page_until_the_volume_was_clicked(chromium: Any, volumes: Path) -> None:
    page = Opened(chromium, volumes, width=420).page
    page.locator("#volume-frame").scroll_into_view_if_needed()
    page.wait_for_selector("#volume[data-shown='0 0']", timeout=300_000)
    page.evaluate("document.getElementById('volume-frame').scrollIntoView({block: 'center'})")
    place = page.locator("#volume-canvas").bounding_box()
    page.mouse.move(place["x"] + place["width"] * 0.15, place["y"] + place["height"] * 0.7)
    before = page.evaluate("window.scrollY")
    page.mouse.wheel(0, -60)
    until(page, f"window.scrollY < {before}")
    place = page.locator("#volume-canvas").bounding_box()
    page.mouse.click(place["x"] + place["width"] * 0.15, place["y"] + place["height"] * 0.7)
    until(page, "document.getElementById('volume').dataset.place !== undefined")
    page.wait_for_timeout(500)
    at, place = page.evaluate("[window.scrollY, document.getElementById('volume').dataset.place]")
    page.mouse.wheel(0, -60)
    until(page, f"document.getElementById('volume').dataset.place !== '{place}'")
    assert page.evaluate("window.scrollY") == at
    page.close()


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("HTMLCanvasElement.prototype.getContext = new Proxy(HTMLCanvasElement.prototype.getContext, "
         "{apply: (of, on, args) => args[0] === 'webgl2' ? null : Reflect.apply(of, on, args)});", "no WebGL 2"),
        ("delete window.DecompressionStream;", "too old for volumes"),
    ],
)  # fmt: skip
def test_what_a_browser_lacks_is_said_and_the_slices_stay(
    chromium: Any, volumes: Path, before: str, words: str
) -> None:
    shown = Opened(chromium, volumes, before=before)
    shown.page.locator("#volume").scroll_into_view_if_needed()
    shown.page.wait_for_selector("#volume[data-shown='no']", timeout=120_000)
    assert words in shown.page.locator("#volume-told").inner_text()
    assert not shown.page.locator("#volume-canvas").is_visible()
    assert shown.page.locator("#images .panels img").count() == 18
    assert shown.complaints == []
    shown.page.close()


def test_without_scripts_there_are_slices_alone(chromium: Any, volumes: Path) -> None:
    page = chromium.new_context(java_script_enabled=False).new_page()
    page.goto(f"file://{volumes}", timeout=300_000)
    assert not page.locator("#volume").is_visible()
    assert page.locator("#images .panels img").count() == 18
    page.context.close()
