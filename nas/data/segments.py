"""Writing a segmentation as DICOM SEG, as viewers and archives take it: `pip install 'nas[dicom]'`.

It belongs to the patient and study of the series that was segmented, refers to its slices, and lies on their grid. What
a class means is said by its name, under a coding scheme of our own: nas knows names, and no codes of SNOMED for them.
"""

import os
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.data.extras import needed
from nas.data.files import dicom
from nas.errors import InputError

SUFFIX = ".dcm"
SCHEME = "99NAS"
"""Schemes that begin with 99 are private."""
_LONGEST = 64
"""Characters of a segment's label, and of what a code means."""
_SERIES_NUMBER = 900


def write_segments(
    path: Path, classes: npt.NDArray[np.uint8], names: Sequence[str], folder: Path, algorithm: str
) -> None:
    """Write classes as segments that are numbered as they are; the file appears whole or not at all.

    Args:
        path: the file.
        classes: indices, (columns, rows, slices) as a series is read; 0 is no segment.
        names: of the classes, the background first.
        folder: of the series that was segmented.
        algorithm: what made the segmentation.

    Raises:
        InputError: the folder holds no series that segments can refer to.
        OSError: the file cannot be written.
    """
    needed("highdicom", "dicom", path)
    aside = path.with_name(f".{os.getpid()}{SUFFIX}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what the scanner wrote, which is not ours to mend
            _segmentation(classes, names, folder, algorithm).save_as(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _segmentation(classes: npt.NDArray[np.uint8], names: Sequence[str], folder: Path, algorithm: str) -> Any:
    import highdicom
    import pydicom

    slices = [pydicom.dcmread(file) for file in dicom.series(folder)]
    try:
        return highdicom.seg.Segmentation(
            source_images=slices,
            pixel_array=np.ascontiguousarray(classes.transpose(2, 1, 0)),
            segmentation_type="BINARY",
            segment_descriptions=[_described(number, name, algorithm) for number, name in enumerate(names) if number],
            series_instance_uid=highdicom.UID(),
            series_number=_SERIES_NUMBER,
            sop_instance_uid=highdicom.UID(),
            instance_number=1,
            manufacturer="nas",
            manufacturer_model_name="nas",
            software_versions=version("nas"),
            device_serial_number="0",
            series_description="Segmentation by nas",
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{folder}: segments cannot refer to this series ({error}); write NIfTI, without --as dicom-seg"
        ) from error


def _described(number: int, name: str, algorithm: str) -> Any:
    import highdicom
    from pydicom.sr.codedict import codes

    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=name[:_LONGEST],
        segmented_property_category=codes.SCT.AnatomicalStructure,
        segmented_property_type=highdicom.sr.CodedConcept(str(number), SCHEME, name[:_LONGEST]),
        algorithm_type="AUTOMATIC",
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            algorithm[:_LONGEST], codes.DCM.ArtificialIntelligence, version("nas")
        ),
    )
