"""Labelled images for segmentation: open a data set, check it, split it, load a case.

`open_dataset` recognises the layout of a folder (`nas/data/readers/`, one file a layout) and reads its files
(`nas/data/files/`, one file a kind); without a folder it gives the built-in `brain`. Nothing heavy is imported before
a case is read.
"""

from nas.data import brain
from nas.data.dataset import Case, Dataset, Volume
from nas.data.fingerprint import Fingerprint, check
from nas.data.normalisation import normalise
from nas.data.opening import open_dataset
from nas.data.splits import Split, split

__all__ = [
    "Case",
    "Dataset",
    "Fingerprint",
    "Split",
    "Volume",
    "brain",
    "check",
    "normalise",
    "open_dataset",
    "split",
]
