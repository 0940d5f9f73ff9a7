"""Cases as slices with outlines: which ones, of whom, and what is said where there are none."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image as Picture

from nas.data import open_dataset
from nas.report import Material
from nas.report.images import Images, case_images, chosen_cases
from nas.report.material import CaseScores
from nas.report.page import page
from nas.report.sheet import sheet
from tests.report.factories import HOSTILE, stored

NAMES = ("brain_000", "brain_001", "brain_002", "brain_003")
DICE = np.array([[0.7, 0.8], [0.5, np.nan], [np.nan, np.nan], [0.9, 0.9]])


def material(names: tuple[str, ...] = NAMES) -> Material:
    bare = stored(6).material
    runs = [trial.latest.id for trial in (bare.winner, bare.rival) if trial and trial.latest]
    return replace(bare, scores={run: CaseScores(names, DICE) for run in runs})


def test_the_best_the_median_and_the_worst_case_are_chosen_once_each() -> None:
    assert chosen_cases(material()) == {"brain_003": "best case", "brain_000": "median case", "brain_001": "worst case"}
    assert chosen_cases(stored(0).material) == {}
    single = material()
    one = {run: CaseScores(("a",), np.array([[0.5]])) for run in single.scores}
    assert chosen_cases(replace(single, scores=one)) == {"a": "best case"}


def test_each_case_is_drawn_with_the_truth_and_with_what_each_network_sees() -> None:
    asked = []

    def nothing(image):  # type: ignore[no-untyped-def]
        asked.append(image.voxels.shape)
        return np.zeros(image.voxels.shape[1:], np.uint8)

    images = case_images(material(), open_dataset(None), {"trial 3": nothing, HOSTILE: nothing})
    assert [case.title for case in images.cases] == [
        "Best case: brain_003",
        "Median case: brain_000",
        "Worst case: brain_001",
    ]
    assert len(asked) == 6
    for case in images.cases:
        assert [image.caption for image in case.images] == ["truth", "trial 3", HOSTILE]
        truth, one, other = (Picture.open(BytesIO(image.png)).convert("RGB") for image in case.images)
        assert truth.size == one.size
        assert one.tobytes() == other.tobytes() != truth.tobytes()
    text = page(material(), images)
    assert text.count('<img src="data:image/png;base64,') == 9
    assert "<img src=x" not in text
    assert "2 white matter" in text


def test_further_networks_have_a_picture_of_each_case_that_stands_in_a_template() -> None:
    def nothing(image):  # type: ignore[no-untyped-def]
        return np.zeros(image.voxels.shape[1:], np.uint8)

    images = case_images(material(), open_dataset(None), {"trial 3": nothing}, {4: nothing, 5: nothing})
    assert {trial: len(pictures) for trial, pictures in images.of_networks.items()} == {4: 3, 5: 3}
    assert [picture.caption for picture in images.of_networks[4]] == [case.title for case in images.cases]
    text = page(material(), images)
    assert text.count('<template id="cases-4">') == text.count('<template id="cases-5">') == 1
    winner = material().winner
    assert winner is not None
    own = case_images(material(), open_dataset(None), {material().name(winner): nothing})
    assert page(material(), own).count(f'data-of="{winner.number}"') == 3


def test_a_sheet_has_all_cases_below_each_other_or_says_why_there_is_none() -> None:
    images = case_images(material(), open_dataset(None), {})
    whole = sheet(images)
    assert whole.height > sum(Picture.open(BytesIO(case.images[0].png)).height for case in images.cases)
    assert sheet(Images(missing="No data.")).getextrema() != ((255, 255),) * 3


@pytest.mark.parametrize("names", [("a", "b", "c", "d")])
def test_a_case_that_is_gone_is_named(names: tuple[str, ...]) -> None:
    images = case_images(material(names), open_dataset(None), {})
    assert images.cases == ()
    assert "the data have no case d, a, b" in images.missing
    assert images.missing in page(material(), images)
