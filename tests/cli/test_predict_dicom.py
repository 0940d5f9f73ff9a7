"""DICOM in, DICOM SEG out: read back by pydicom and highdicom, which know nothing of nas."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import pytest

from nas.data import read_image
from nas.model import load_model, segment
from tests.cli.command import Command
from tests.data.dicom_factories import AXIAL, DISTANCE, OBLIQUE, PIXEL, SHAPE, place, series
from tests.model.factories import model, nifti, saved, voxels

pydicom: Any = pytest.importorskip("pydicom", reason="pip install 'nas[dicom]'")
highdicom: Any = pytest.importorskip("highdicom", reason="pip install 'nas[dicom]'")


def predict(nas: Command, folder: Path, *further: str, code: int = 0, images: str = "images") -> str:
    places = ("--images", str(folder / images), "--to", str(folder / "out"))
    ended = nas("predict", str(folder / "model"), *places, *further)
    assert ended.code == code, ended.err
    return ended.out + ended.err


def expected(folder: Path, images: str) -> npt.NDArray[np.uint8]:
    """Classes (columns, rows, slices)."""
    made = load_model(folder / "model")
    return segment(made, read_image((folder / images,), 3, made.channels)).classes


@pytest.mark.parametrize("orientation", [AXIAL, OBLIQUE], ids=["axial", "oblique"])
def test_segments_lie_voxel_by_voxel_where_the_slices_do(
    orientation: Sequence[float], nas: Command, tmp_path: Path
) -> None:
    saved(tmp_path, model(values=(0, 7, 500)))
    series(tmp_path / "images", orientation=orientation)
    assert "1 of 1 images segmented" in predict(nas, tmp_path, "--as", "dicom-seg")
    classes = expected(tmp_path, "images")
    written = pydicom.dcmread(tmp_path / "out" / "images.dcm")
    first = pydicom.dcmread(next((tmp_path / "images").iterdir()))
    for name in ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert written[name].value == first[name].value
    assert written.Modality == "SEG"
    assert [segment.SegmentLabel for segment in written.SegmentSequence] == ["front", "back"]
    # By pydicom alone, from each frame's own place: nothing that nas has reckoned.
    seen = np.zeros((3, *SHAPE), bool)
    frames = written.pixel_array.reshape(-1, SHAPE[1], SHAPE[0])
    for frame, about in zip(frames, written.PerFrameFunctionalGroupsSequence, strict=True):
        number = about.SegmentIdentificationSequence[0].ReferencedSegmentNumber
        at = np.array(about.PlanePositionSequence[0].ImagePositionPatient, float)
        (slice_number,) = [z for z in range(SHAPE[2]) if np.allclose(at, place(z, orientation), atol=1e-4)]
        seen[number, :, :, slice_number] = frame.T
    assert np.array_equal(seen[1], classes == 1)
    assert np.array_equal(seen[2], classes == 2)
    shared = written.SharedFunctionalGroupsSequence[0]
    assert np.allclose(shared.PlaneOrientationSequence[0].ImageOrientationPatient, orientation)
    assert np.allclose(shared.PixelMeasuresSequence[0].PixelSpacing, PIXEL)
    volume = highdicom.seg.segread(tmp_path / "out" / "images.dcm").get_volume(combine_segments=True)
    assert np.allclose(np.linalg.norm(volume.affine[:3, :3], axis=0), (DISTANCE, *PIXEL))
    assert int((volume.array > 0).sum()) == int((classes > 0).sum())


def test_a_folder_of_series_is_segmented_as_nifti_or_as_segments_and_evaluated(nas: Command, tmp_path: Path) -> None:
    saved(tmp_path)
    series(tmp_path / "images" / "anna" / "ct", seed=1)
    series(tmp_path / "images" / "ben", seed=2)
    (tmp_path / "images" / "notes.txt").write_text("...")
    predict(nas, tmp_path)
    written = nibabel.load(tmp_path / "out" / "anna_ct.nii.gz")
    assert np.array_equal(np.asarray(written.dataobj), expected(tmp_path, "images/anna/ct"))
    (tmp_path / "out").rename(tmp_path / "labels")
    (tmp_path / "labels" / "predictions.json").unlink()
    assert "2 of 2" in predict(nas, tmp_path, "--as", "dicom-seg")
    assert "0 of 2 images to segment" in predict(nas, tmp_path, "--as", "dicom-seg")
    ended = nas("evaluate", str(tmp_path / "out"), "--labels", str(tmp_path / "labels"), "--json")
    assert ended.code == 0, ended.err
    assert ended.json["mean"]["dice"]["all"] == 1.0


def test_what_is_no_series_is_listed_and_the_others_are_done(nas: Command, tmp_path: Path) -> None:
    saved(tmp_path)
    series(tmp_path / "images" / "good", seed=1)
    series(tmp_path / "images" / "lacks one", seed=2, skipped=(3,))
    nifti(tmp_path / "images" / "volume.nii.gz", voxels())
    text = predict(nas, tmp_path, "--as", "dicom-seg", "--report", str(tmp_path / "report.json"), code=1)
    assert "1 of 3 images segmented" in text
    assert "left out: lacks one:" in text
    assert "a slice is missing" in text
    assert "is no folder of DICOM slices, which --as dicom-seg is for" in text
    report = json.loads((tmp_path / "report.json").read_text())
    assert [case["file"] for case in report["cases"] if case["file"]] == ["good.dcm"]


def test_an_empty_segmentation_is_written(nas: Command, tmp_path: Path) -> None:
    saved(tmp_path)
    series(tmp_path / "images")
    predict(nas, tmp_path, "--as", "dicom-seg", "--minimum-volume", "front=1e9", "--minimum-volume", "back=1e9")
    assert not pydicom.dcmread(tmp_path / "out" / "images.dcm").pixel_array.any()


def test_another_kind_is_refused(nas: Command, tmp_path: Path) -> None:
    saved(tmp_path)
    series(tmp_path / "images")
    assert "--as: found 'rtstruct', expected dicom-seg" in predict(nas, tmp_path, "--as", "rtstruct", code=2)
