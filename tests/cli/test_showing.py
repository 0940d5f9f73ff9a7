"""`nas data show` and `--layout` as a person meets them."""

from pathlib import Path

import pytest

from ..data.factories import BOX, msd
from ..data.test_layouts import CHEST, ball, chest, kits23, layout_file
from .command import Command


def test_a_data_set_is_shown_on_a_page(nas: Command, tmp_path: Path) -> None:
    ended = nas("data", "show", str(msd(tmp_path / "data")), "--to", str(tmp_path / "check.html"), "--cases", "2")
    assert (ended.code, ended.out) == (0, f"{tmp_path}/check.html\n")
    page = (tmp_path / "check.html").read_text(encoding="utf-8")
    assert page.count("<section>") == 2
    assert "warning: cases case_1 and case_2 have the same label" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "check.pdf"], "--to: found 'check.pdf'; expected a file that ends in .html or .png"),
        (["--to", "none/check.html"], "there is no folder none"),
        (["--layout", "kits22"], "layout: found 'kits22'; did you mean 'kits23'?"),
        (["--layout", "mine.toml"], "mine.toml: cannot be read (No such file or directory)"),
        (["--layout", "kits23"], "no file fits the pattern '{case}/imaging.nii.gz'"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_is_read(
    arguments: list[str], words: str, nas: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = nas("data", "show", str(msd(tmp_path / "data")), *arguments)
    assert ended.code == 2
    assert words in ended.err
    assert len(ended.err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_check_takes_a_layout(nas: Command, tmp_path: Path) -> None:
    folder = chest(tmp_path, lung=ball(BOX, 4), nodule=ball(BOX, 6))
    path = layout_file(tmp_path, CHEST + 'label = "{case}/{class}.nii.gz"\nclasses = ["lung", "nodule"]')
    document = nas("data", "check", str(folder), "--layout", str(path), "--json").json
    names = [summary["name"] for summary in document["classes"]]
    assert names == ["background", "lung", "nodule"]
    kits23(tmp_path / "kits")
    assert "KiTS23" in nas("data", "check", str(tmp_path / "kits"), "--layout", "kits23").out
