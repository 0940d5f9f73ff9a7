"""The page says what a study found, and nothing in it from outside is anything but text."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from nas.report import Material
from nas.report.headline import confirmed_comparison, headline
from nas.report.page import page
from nas.report.writing import write_tables
from nas.study.history import Split, State
from nas.study.settings import TOGETHER
from tests.report.factories import HOSTILE, changed, confirmed, in_state, stored
from tests.report.test_figures import RUNGS, STUDIES, THREE, running


def text_of(material: Material) -> str:
    told = headline(material)
    return " ".join([*(text for _, text in told.sentences), *told.warnings])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("whole", ["30 networks were looked at", "Case by case:", "Is it confirmed"]),
        ("with rungs", ["were trained briefly and left at that"]),
        ("three objectives", ["after 3 things at once"]),
        ("one network", ["There is no second network"]),
        ("no network", ["no network has been looked at yet"]),
        ("all infeasible", ["every network is over a limit, such as: over the limit"]),
        ("all failed", ["every training failed, such as with: ValueError: no"]),
        ("all diverged", ["no network was trained to the end"]),
        ("running", ["The search is not over: 1 network is in training"]),
    ],
)
def test_the_top_says_what_came_of_it(name: str, words: list[str]) -> None:
    material = STUDIES[name]().material
    told = text_of(material) + " " + " ".join(name for name, _ in headline(material).sentences)
    for word in words:
        assert word in told


def test_what_the_best_reach_together_is_told_where_they_were_scored_so() -> None:
    first, second = (trial.number for trial in stored().material.order[:2])
    plan = {TOGETHER: {"trials": [first, second], "dice": 0.9186}}
    assert "it has Dice 0.9186." in text_of(stored(plan=plan).material)
    other = {TOGETHER: {"trials": [second, first], "dice": 0.9186}}  # another one has won since
    assert "0.9186" not in text_of(stored(plan=other).material)


def test_a_winner_that_was_trained_again_is_told_with_what_it_reached() -> None:
    study = stored(12)
    material = study.material
    assert material.winner is not None
    assert material.rival is not None
    again = confirmed(confirmed(study, material.winner.number, 0.84), material.rival.number, 0.8)
    assert "on cases that the search never saw" in text_of(again.material)
    comparison = confirmed_comparison(again.material)
    assert comparison is not None
    assert comparison.difference.estimate == pytest.approx(0.04, abs=0.02)
    assert again.material.winner == again.material.history.by_number[material.winner.number]
    folds = confirmed(study, material.winner.number, 0.8, split=Split.SEARCH)
    assert "on other folds or seeds" in text_of(folds.material)


def test_a_published_network_that_wins_is_held_against_the_best_proposed() -> None:
    study = stored(12)
    first = replace(study.trials[0], runs=(replace(study.trials[0].runs[0], values={"dice": 0.99}),))
    told = text_of(replace(study, trials=(first, *study.trials[1:])).material)
    assert "a published network, with Dice 0.9900" in told
    assert "No network that the search proposed did better" in told


class Elements(HTMLParser):
    """The tags, their attributes, and what scripts hold."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: dict[str, str] = {}
        self._block: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._block = dict(attrs).get("id") if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._block:
            self.data[self._block] = self.data.get(self._block, "") + data


def elements(text: str) -> Elements:
    parser = Elements()
    parser.feed(re.sub(r"<script>.*?</script>", "<script></script>", text, flags=re.DOTALL))
    return parser


@pytest.mark.parametrize("name", STUDIES)
def test_a_page_of_every_kind_of_study_is_whole(name: str) -> None:
    text = page(STUDIES[name]().material)
    parser = elements(text)
    assert not [tag for tag, attributes in parser.tags if attributes.keys() & {"onerror", "onload", "onclick"}]
    assert not re.findall(
        r"""(?:src|href|action)=["'](?!#|data:)""", re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    )
    for block in ("data-figures", "data-networks", "data-drawings"):
        json.loads(parser.data[block])
    ids = [attributes["id"] for _, attributes in parser.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    images = [attributes for tag, attributes in parser.tags if tag == "img"]
    assert all(attributes.get("alt") for attributes in images)
    plots = [attributes for _, attributes in parser.tags if attributes.get("class") == "plot"]
    assert all(attributes["aria-label"] and attributes["aria-describedby"] in ids for attributes in plots)


def test_names_from_outside_make_no_element() -> None:
    plain = elements(page(stored(30, RUNGS).material))
    hostile = elements(page(STUDIES["hostile"]().material))
    assert {tag for tag, _ in hostile.tags} <= {tag for tag, _ in plain.tags} | {"li", "ul"}
    networks = json.loads(hostile.data["data-networks"])["networks"]
    assert networks[0]["name"] == HOSTILE


def test_without_drawings_graphs_and_cases_the_rest_is_there() -> None:
    text = page(STUDIES["without cases and graphs"]().material)
    assert "There is no network to draw." in text
    assert "Single cases were not measured" in text


def test_a_page_holds_each_network_s_curve_and_the_drawings_of_those_that_stand_out() -> None:
    material = stored(30).material
    blocks = elements(page(material)).data
    networks = json.loads(blocks["data-networks"])
    assert material.winner is not None
    assert networks["winner"] == material.winner.number == networks["networks"][0]["number"]
    curves = [{networks["words"][name]: x for name, x, _ in each["curves"]} for each in networks["networks"]]
    assert all(curve["loss"][-1] == 20 for curve in curves)
    assert str(material.winner.number) in json.loads(blocks["data-drawings"])


def test_reading_and_writing_a_report_needs_no_torch(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom tests.report.factories import stored\n"
        "from nas.report.writing import write_page\n"
        f"write_page(stored(24, (0.3, 1.0)).material, Path({str(tmp_path / 'report.html')!r}))\n"
        "print(*{'torch', 'monai'} & set(sys.modules))"
    )
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    run = subprocess.run([sys.executable, "-c", program], cwd=root, env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr
    assert (tmp_path / "report.html").stat().st_size < 8_000_000


def test_each_figure_that_has_something_to_show_is_written_as_csv(tmp_path: Path) -> None:
    written = write_tables(stored(60, RUNGS).material, tmp_path / "new" / "csv")
    assert {path.stem for path in written} >= {"front", "progress", "rungs", "agreement", "curves", "importance"}
    assert [path.stem for path in write_tables(stored(0).material, tmp_path / "none")] == []


def test_many_objectives_and_failures_are_warned_of() -> None:
    failed = in_state(stored(3), State.FAILED, HOSTILE)
    mixed = replace(stored(12), trials=(*failed.trials, *stored(12).trials[3:]))
    assert "3 trainings failed, the last with: <img" in text_of(mixed.material)
    assert "&lt;img" in page(changed(stored(5, objectives=THREE), lambda t: replace(t, reference=HOSTILE)).material)
    assert "1 network is in training" in text_of(running(stored(3)).material)
