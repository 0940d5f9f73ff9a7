"""Labelled images for segmentation: open a data set, check it, split it, load a case.

`open_dataset` recognises the layout of a folder (`nas/data/readers/`, one file a layout) and reads its files
(`nas/data/files/`, one file a kind); without a folder it gives the built-in `brain`. `check` takes a fingerprint,
`plan_preprocessing` decides from it what is done to every case, and `prepare_dataset` does it once, into a cache that
all training maps into memory. Nothing heavy is imported before a case is read.
"""

from nas.data import brain
from nas.data.checking import check
from nas.data.dataset import Case, Dataset, Region, Volume
from nas.data.fingerprint import Fingerprint, changed_cases
from nas.data.geometry import Geometry
from nas.data.holdout import Holdout, choose_holdout
from nas.data.images import Image, read_image
from nas.data.labelled import IGNORED
from nas.data.opening import open_dataset
from nas.data.options import DataOptions, read_options
from nas.data.prepared import (
    DEFAULT_FOLDER,
    PreparedCase,
    PreparedDataset,
    available_processes,
    open_prepared,
    prepare_dataset,
)
from nas.data.preparing import Prepared, prepare_image
from nas.data.preprocessing import Normalisation, Preprocessing, plan_preprocessing
from nas.data.slices import numbers_around, slices
from nas.data.splits import Split

__all__ = [
    "DEFAULT_FOLDER",
    "IGNORED",
    "Case",
    "DataOptions",
    "Dataset",
    "Fingerprint",
    "Geometry",
    "Holdout",
    "Image",
    "Normalisation",
    "Prepared",
    "PreparedCase",
    "PreparedDataset",
    "Preprocessing",
    "Region",
    "Split",
    "Volume",
    "available_processes",
    "brain",
    "changed_cases",
    "check",
    "choose_holdout",
    "numbers_around",
    "open_dataset",
    "open_prepared",
    "plan_preprocessing",
    "prepare_dataset",
    "prepare_image",
    "read_image",
    "read_options",
    "slices",
]
