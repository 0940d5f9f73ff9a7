"""ONNX with convolutions in eight bits, with the program of one file that `onnx` has.

Where cases are at hand, the ranges of all values are taken from them and written as QDQ, which accelerators take;
else weights alone are stored so, and ranges are taken from each image while it runs.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nas.export.formats import Classes, Scores, needed
from nas.export.formats import onnx as whole
from nas.model import TrainedModel

SUMMARY = "as onnx, in eight bits: a quarter of the size; with --data its ranges are fitted to cases"
TOLERANCE = 0.5
AGREEMENT = 0.8
_FILE, _DESCRIPTION = "model.onnx", "model.json"


def write(model: TrainedModel, folder: Path) -> None:
    """model.onnx, whose weights have eight bits, segment.py and model.json."""
    needed("onnxruntime", "onnx")
    from onnxruntime.quantization import QuantType, quantize_dynamic

    def quantised(source: Path, to: Path) -> None:
        # ONNX Runtime has ConvInteger for unsigned weights alone on some processors, and runs it faster on all.
        quantize_dynamic(source, to, op_types_to_quantize=["Conv", "MatMul"], weight_type=QuantType.QUInt8)

    _write(model, folder, quantised, "weights in eight bits, ranges of values taken from each image")


def write_fitted(model: TrainedModel, folder: Path, windows: Sequence[npt.NDArray[np.float32]]) -> None:
    """The same with the ranges of all values fixed, as they are over some windows."""
    needed("onnxruntime", "onnx")
    from onnxruntime.quantization import QuantType, quantize_static

    def quantised(source: Path, to: Path) -> None:
        quantize_static(
            source,
            to,
            _Reader(windows),
            op_types_to_quantize=["Conv", "ConvTranspose", "MatMul"],
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )

    _write(model, folder, quantised, f"eight bits, ranges of values fitted to {len(windows)} windows")


def opened(folder: Path, model: TrainedModel) -> Scores:
    """The file in ONNX Runtime, on the CPU."""
    return whole.opened(folder, model)


def segmenting(folder: Path, model: TrainedModel) -> Classes | None:
    """The program that was written, imported from where it was written."""
    return whole.segmenting(folder, model)


class _Reader:
    """Gives windows to ONNX Runtime's calibration, one after the other."""

    def __init__(self, windows: Sequence[npt.NDArray[np.float32]]) -> None:
        self._windows = iter(windows)

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        """None at the end."""
        window = next(self._windows, None)
        return None if window is None else {"image": window}


def _write(model: TrainedModel, folder: Path, quantised: Callable[[Path, Path], Any], numbers: str) -> None:
    whole.write(model, folder)
    source = (folder / _FILE).rename(folder / "whole.onnx")
    with _silent():
        quantised(source, folder / _FILE)
    source.unlink()
    document = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))
    document |= {"format": "nas int8", "numbers": numbers}
    (folder / _DESCRIPTION).write_text(json.dumps(document, indent=1), encoding="utf-8")


@contextmanager
def _silent() -> Iterator[None]:
    """ONNX Runtime advises on the root logger to simplify the file first, which torch's exporter has done."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
