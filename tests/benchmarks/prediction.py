"""Cases a minute of nas's windows, of MONAI's own inferer with the same network and windows, and of ONNX Runtime.

Run: python -m tests.benchmarks.prediction FOLDER_OF_TASK04_HIPPOCAMPUS [CASES]
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from nas.architecture import slim
from nas.catalog import load_space
from nas.data import Preprocessing, open_dataset, prepare_image
from nas.data.preprocessing import Normalisation
from nas.export.formats import format_of
from nas.graph import Axes, Task, trace
from nas.model import TrainedModel
from nas.network import StepPlan, build
from nas.network.running import arranged, runner
from nas.training import Recipe
from nas.training.inference import predict

NETWORKS = (("Residual U-Net", 3, (40, 56, 40)), ("U-Net BN", 4, (32, 48, 32)))
"""With how many rungs they are narrower, and the patch."""
ROUNDS = 3
MONAI = "MONAI's inferer, float32"


def main(folder: Path, cases: int) -> None:
    """A row for each network and way of running it; the best of a few rounds, each way in turn."""
    dataset = open_dataset(folder)
    settings = Preprocessing((1.0, 1.0, 1.0), (Normalisation(),))
    volumes = [dataset.load(case) for case in dataset.cases[:cases]]
    images = [torch.from_numpy(prepare_image(v.image, v.geometry, settings).image) for v in volumes]
    for reference, rungs, patch in NETWORKS:
        architecture = slim(load_space("unet_family").references[reference], rungs)
        graph = trace(architecture, Task(3, 1, 3, patch))
        state = build(graph).state_dict()
        model = TrainedModel(graph, (state,), settings, ("MRI",), dataset.classes, Recipe())
        ways = {
            MONAI: monai_s(build(graph).eval(), patch),
            "nas, float32": nas_s(model, StepPlan(channels_last=True)),
            "nas, bfloat16": nas_s(model, StepPlan(channels_last=True, precision="bfloat16")),
            "nas's windows, ONNX Runtime": onnx_s(model),
        }
        seconds = {name: float("inf") for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                start = time.perf_counter()
                for image in images:
                    way(image)
                seconds[name] = min(seconds[name], time.perf_counter() - start)
        print(f"{reference}, {graph.parameters:,} parameters, {cases} cases, {torch.get_num_threads()} threads")
        network = build(graph).eval()
        first, expected = seconds[MONAI], monai_s(lambda part, of=network: of(part).softmax(1), patch)(images[0])
        for name, took in seconds.items():
            same = float((ways[name](images[0]) == expected).float().mean())
            print(
                f"  {name:32} {60 * cases / took:6.0f} cases a minute  {first / took:5.2f} times MONAI's  "
                f"{same:.2%} of the voxels as with its probabilities averaged",
                flush=True,
            )


def monai_s(network: Callable[[Tensor], Tensor], patch: Axes) -> Callable[[Tensor], Tensor]:
    """MONAI's sliding window with the plain module."""
    from monai.inferers import SlidingWindowInferer

    inferer = SlidingWindowInferer(patch, 4, 0.5, mode="gaussian", padding_mode="replicate")

    def way(image: Tensor) -> Tensor:
        with torch.inference_mode():
            found: Tensor = inferer(image[None], network)[0].argmax(0)
            return found

    return way


def nas_s(model: TrainedModel, plan: StepPlan) -> Callable[[Tensor], Tensor]:
    """nas's windows by a plan."""
    (network,) = model.networks()
    forward = runner(arranged(network, plan), plan)
    return lambda image: predict(forward, image, model.task.patch)  # type: ignore[arg-type]


def onnx_s(model: TrainedModel) -> Callable[[Tensor], Tensor]:
    """nas's windows, the network in ONNX Runtime."""
    form = format_of("onnx")
    with tempfile.TemporaryDirectory() as folder:
        form.write(model, Path(folder))
        scores = form.opened(Path(folder), model)
    return lambda image: predict(scores, image, model.task.patch)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20)
