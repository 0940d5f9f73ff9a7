"""The report as a reader meets it: it opens, a click shows a network, nothing is asked of a network."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nas.report.writing import write_page
from tests.report.browser import CHROMIUM, Opened, browser
from tests.report.factories import HOSTILE, stored
from tests.report.test_figures import STUDIES

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
    page.wait_for_selector(f"[data-network='{place['number']}']", timeout=20_000)
    assert str(place["number"]) != first
    assert page.locator("[data-network] img").count() == 1
    page.wait_for_selector("[data-network] .curve .main-svg", timeout=20_000)
    assert page.locator("#details h3").inner_text() in ("U-Net BN", "Residual U-Net", "U-Net++ R18")
    assert shown.complaints == []
    page.close()


def test_a_network_is_chosen_with_the_keyboard_alone(chromium: Any, report: Path) -> None:
    page = Opened(chromium, report).page
    before = page.locator("[data-network]").get_attribute("data-network")
    page.locator("#choose").focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function(f"document.querySelector('[data-network]').dataset.network !== '{before}'", timeout=20_000)
    page.close()


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
