"""DICOM files of a small patient, written with pydicom and highdicom."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

SHAPE = (20, 18, 8)  # columns, rows, slices
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
OBLIQUE = (1.0, 0.0, 0.0, 0.0, 0.8, -0.6)
FIRST = np.array([-31.0, 12.0, 100.0])
PIXEL, DISTANCE = (0.75, 0.5), 2.5  # between rows, between columns; between slices

Change = Callable[[int, Any], None]


def stored(seed: int = 0) -> np.ndarray:
    """Stored values, (columns, rows, slices)."""
    return np.random.default_rng(seed).integers(0, 400, SHAPE).astype(np.uint16)


def place(number: int, orientation: Sequence[float] = AXIAL) -> np.ndarray:
    """Where the first pixel of a slice is, in mm left, posterior, superior."""
    return FIRST + number * DISTANCE * np.cross(orientation[:3], orientation[3:])


def series(
    folder: Path,
    seed: int = 0,
    orientation: Sequence[float] = AXIAL,
    skipped: Sequence[int] = (),
    change: Change = lambda number, dataset: None,
    series_number: int = 1,
) -> Path:
    """A CT series, a file a slice, in files whose names have another order than their places."""
    import pydicom
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    folder.mkdir(parents=True, exist_ok=True)
    for number in range(SHAPE[2]):
        if number in skipped:
            continue
        dataset = pydicom.Dataset()
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        uid = f"1.2.826.0.1.3680043.8.498.{seed + 1}.{series_number}"
        fields: Mapping[str, Any] = {
            "SOPClassUID": CTImageStorage,
            "SOPInstanceUID": f"{uid}.{number + 1}",
            "StudyInstanceUID": f"1.2.826.0.1.3680043.8.498.{seed + 1}",
            "SeriesInstanceUID": uid,
            "FrameOfReferenceUID": f"1.2.826.0.1.3680043.8.498.{seed + 1}.9",
            "Modality": "CT",
            "PatientName": "Body^No",
            "PatientID": str(seed),
            "PatientBirthDate": "",
            "PatientSex": "",
            "StudyDate": "20260101",
            "StudyTime": "000000",
            "AccessionNumber": "",
            "StudyID": "1",
            "ReferringPhysicianName": "",
            "PositionReferenceIndicator": "",
            "SeriesNumber": series_number,
            "InstanceNumber": number + 1,
            "ImagePositionPatient": [float(step) for step in place(number, orientation)],
            "ImageOrientationPatient": list(orientation),
            "PixelSpacing": list(PIXEL),
            "SliceThickness": DISTANCE,
            "Rows": SHAPE[1],
            "Columns": SHAPE[0],
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "BitsAllocated": 16,
            "BitsStored": 12,
            "HighBit": 11,
            "PixelRepresentation": 0,
            "RescaleSlope": 2,
            "RescaleIntercept": -1024,
            "PixelData": stored(seed)[:, :, number].T.tobytes(),
        }
        for name, value in fields.items():
            setattr(dataset, name, value)
        change(number, dataset)
        dataset.save_as(folder / f"IM{(5 * number + 3) % SHAPE[2]:04d}", enforce_file_format=True)
    return folder


def segmentation(path: Path, folder: Path, masks: Mapping[str, np.ndarray]) -> Path:
    """A SEG of the series in a folder, without its empty slices; masks (columns, rows, slices) by names of segments."""
    import highdicom
    import pydicom
    from highdicom.sr.coding import CodedConcept
    from pydicom.sr.codedict import codes

    images = sorted((pydicom.dcmread(file) for file in folder.iterdir()), key=lambda image: image.InstanceNumber)
    algorithm = highdicom.AlgorithmIdentificationSequence("test", codes.DCM.ArtificialIntelligence, "1")
    described = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=name,
            segmented_property_category=codes.SCT.Organ,
            segmented_property_type=CodedConcept("10200004", "SCT", "Liver"),
            algorithm_type="AUTOMATIC",
            algorithm_identification=algorithm,
        )
        for number, name in enumerate(masks, start=1)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    highdicom.seg.Segmentation(
        source_images=images,
        pixel_array=np.stack([mask.transpose(2, 1, 0) for mask in masks.values()], axis=-1).astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=described,
        series_instance_uid=highdicom.UID(),
        series_number=7,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="nas",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
    ).save_as(path)
    return path


def structures(path: Path, outlines: Mapping[str, Sequence[np.ndarray]]) -> Path:
    """An RTSTRUCT; by name, outlines of (points, 3) in mm left, posterior, superior."""
    import pydicom
    from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage

    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = RTStructureSetStorage, "1.2.826.0.1.3680043.8.498.77"
    dataset.Modality = "RTSTRUCT"
    dataset.StructureSetROISequence, dataset.ROIContourSequence = [], []
    for number, (name, contours) in enumerate(outlines.items(), start=3):
        structure, drawn = pydicom.Dataset(), pydicom.Dataset()
        structure.ROINumber, structure.ROIName = number, name
        drawn.ReferencedROINumber, drawn.ContourSequence = number, []
        for points in contours:
            contour = pydicom.Dataset()
            contour.ContourGeometricType, contour.NumberOfContourPoints = "CLOSED_PLANAR", len(points)
            contour.ContourData = [f"{value:.6f}" for value in points.ravel()]
            drawn.ContourSequence.append(contour)
        dataset.StructureSetROISequence.append(structure)
        dataset.ROIContourSequence.append(drawn)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path
