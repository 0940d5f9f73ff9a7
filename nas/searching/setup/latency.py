"""How long a network takes to segment one patch: run by torch on a device, or by ONNX Runtime on the CPU."""

import copy
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from nas.network import Network

_PASSES = 7
"""That a latency is the median of."""


def latency(network: Network, device: torch.device) -> float:
    """Seconds in which a network segments one patch, the median of a few.

    Args:
        network: on the device; left in the mode that it was in.
        device: where.
    """
    images, training = _patch(network).to(device), network.training

    def segment() -> None:
        network(images)
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    network.eval()
    with torch.inference_mode():
        seconds = _median_seconds(segment)
    network.train(training)
    return seconds


def onnx_latency(network: Network) -> float:
    """Seconds in which ONNX Runtime segments one patch on the CPU, the median of a few, after seconds of exporting.

    Raises:
        InputError: the network cannot be exported, or a package for that is not installed.
    """
    from nas.export.formats.onnx import converted, expect_packages
    from nas.export.program import program_of

    expect_packages()
    import onnxruntime

    plain = copy.deepcopy(network).cpu().eval()
    file = converted(program_of(plain, network.graph)).model_proto.SerializeToString()
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    images = {session.get_inputs()[0].name: _patch(network).numpy()}
    return _median_seconds(lambda: session.run(None, images))


def _patch(network: Network) -> Tensor:
    task = network.graph.task
    return torch.zeros(1, task.channels, *task.patch)


def _median_seconds(call: Callable[[], object]) -> float:
    seconds = []
    for _ in range(1 + _PASSES):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return median(seconds[1:])  # the first one sets things up
