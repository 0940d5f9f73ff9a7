"""Cases in reports and dashboards where something of them is gone: a sentence, and a report all the same."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from nas.cli.cases import images_of, picture_of
from nas.errors import InputError
from nas.report.page import page
from tests.report.factories import Stored, stored
from tests.report.test_images import material


class Emptied(Stored):
    """A study whose files were deleted."""

    def file(self, run: int, kind: str) -> Path:
        raise InputError(f"run {run} has no {kind} any more")


def emptied(**settings: Any) -> Any:
    study = stored(6, **settings)
    return Emptied(study.settings, study.trials, study.cases, study.graphs)


@pytest.mark.parametrize(
    ("study", "words"),
    [
        (emptied(), "the data are not at hand (/data/Task04_Hippocampus)"),
        (emptied(data_source=None), "the data are not at hand (Task04_Hippocampus)"),
        (emptied(synthetic=True), "Pictures of cases are left out: run"),
    ],
)
def test_data_and_weights_that_are_gone_are_told_of(study: Any, words: str) -> None:
    images = images_of(study, material())
    assert words in images.missing
    assert images.cases == ()
    assert "Pictures of cases are left out" in page(material(), images)


def test_a_study_whose_cases_were_not_measured_says_so() -> None:
    assert "none were measured one by one" in images_of(emptied(), replace(material(), scores={})).missing


def test_a_picture_says_why_it_shows_nothing() -> None:
    study = emptied()
    picture = Image.open(BytesIO(picture_of(study, study.trials[0])))
    assert picture.width > 400
    assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 1
