"""Every check that wants a GPU, in one table: running a step, compiled against plain, feed, memory, packing, a search.

Run: python -m tests.benchmarks.gpu [DEVICE]      (make gpu; "cpu" runs the same lines where there is no GPU)
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import torch

import nas
from nas.architecture import slim
from nas.catalog import load_space
from nas.graph import Graph, Task, trace
from nas.network import Network, StepPlan, build, choose_plan
from nas.network.running import runner
from nas.searching.setup.search_plan import memory
from nas.training import Recipe
from nas.training.feed import Feed
from nas.training.losses import supervised
from nas.training.step import Stepper
from tests.benchmarks.measuring import show
from tests.training.factories import sample

Row = tuple[str, str, str]
"""What was looked at, what was found, and whether that is as it should be."""
TASKS = {
    "2D": Task(2, 1, 3, (128, 128), ((2, 2),) * 4),
    "3D": Task(3, 1, 3, (64, 64, 64), ((2, 2, 2),) * 4),
}
NETWORKS = ("U-Net BN", "DeepLabv3+ R18", "Tiramisu-67")
BATCH, STEPS, WIDTH = 4, 20, 4
SEARCH = "60s"


def networks() -> Iterator[tuple[str, Graph]]:
    """A few published networks, narrower, in 2D and 3D."""
    space = load_space("unet_family")
    for axes, task in TASKS.items():
        for name in NETWORKS:
            yield f"{name}, {axes}", trace(slim(space.references[name], WIDTH), task)


def main(name: str = "cuda") -> None:
    """Run all checks and print one table; a check that raises is a row of it, and ends the command with 1."""
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        sys.exit("no GPU that torch can use; give cpu to run the same lines on the processor")
    rows: list[Row] = []
    for check in (ways_of_running, compiled_equals_plain, fed_as_fast, memory_as_predicted, packed, searched):
        began = time.perf_counter()
        rows += _guarded(check, device)
        print(f"{check.__name__}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else "the CPU"
    show(f"nas {nas.__version__}, torch {torch.__version__}, {where}", ("check", "found", ""), rows)
    sys.exit(any(verdict == "WRONG" for *_, verdict in rows))


def ways_of_running(device: torch.device) -> Iterator[Row]:
    """How each network runs fastest, as a search finds out."""
    for name, graph in networks():
        plan = _plan(graph, device)
        ways = [plan.precision, *(word for word in ("channels_last", "fused", "compiled") if getattr(plan, word))]
        yield f"step of {name}", f"{1000 * plan.seconds:.1f} ms: {', '.join(ways)}", ""


def compiled_equals_plain(device: torch.device) -> Iterator[Row]:
    """A compiled network (on a GPU by CUDA graphs) computes what it computes plainly."""
    for name, graph in networks():
        if device.type == "cpu":
            yield f"compiled {name}", "not tried on the processor", ""
            return
        network = build(graph, seed=0).to(device).eval()
        images = _batch(graph, device)[0]
        with torch.inference_mode():
            plain = network(images)
            compiled = runner(network, StepPlan(compiled=True))(images)
        error = float((compiled - plain).abs().max() / plain.abs().max())  # type: ignore[operator,union-attr]
        yield f"compiled {name}", f"differs by {error:.1e} of the largest score", _verdict(error < 1e-2)


def fed_as_fast(device: torch.device) -> Iterator[Row]:
    """Steps on fresh patches against steps on one constant batch."""
    for name, graph in networks():
        cases = [sample(tuple(2 * along for along in graph.task.patch), seed=seed) for seed in range(4)]
        recipe = Recipe(batch=BATCH)
        stepper = Stepper(_network(graph, device), recipe, _plan(graph, device))
        with Feed(cases, graph.task.patch, recipe, device, seed=0) as feed:
            constant, number = feed.batch(0), count(1)
            alone = _seconds(lambda stepper=stepper, constant=constant: stepper.step(*constant, 1e-3), device)
            fed = _seconds(lambda s=stepper, f=feed, n=number: s.step(*f.batch(next(n)), 1e-3), device)
        yield f"feed of {name}", f"{alone / fed:.2f} of the steps on a constant batch", _verdict(alone / fed > 0.5)


def memory_as_predicted(device: torch.device) -> Iterator[Row]:
    """What the allocator has held at most against what was predicted."""
    for name, graph in networks():
        if device.type == "cpu":
            yield f"memory of {name}", "the processor has no allocator to ask", ""
            return
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        plan = replace(_plan(graph, device), precision="float32", compiled=False)
        stepper = Stepper(_network(graph, device), Recipe(batch=BATCH), plan)
        for _ in range(3):
            stepper.step(*_batch(graph, device), 1e-3)
        held = torch.cuda.max_memory_allocated(device) - before
        ratio = memory(graph, BATCH) / held
        yield f"memory of {name}", f"predicted {ratio:.2f} of {held / 2**20:.0f} MiB", _verdict(0.5 < ratio < 2)


def packed(device: torch.device) -> Iterator[Row]:
    """Networks trained in a minute by one worker and by two that share the device."""
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as place:
            options = {"space": "tiny", "trials": 6, "steps": 100, "storage": f"{place}/nas.db", "workers": workers}
            began = time.perf_counter()
            opened = nas.search(device=str(device), **options)  # type: ignore[arg-type]
            trained, minutes = opened.summary()["distinct"], (time.perf_counter() - began) / 60
        yield f"{workers} worker(s)", f"{trained / minutes:.1f} networks a minute", _verdict(trained == 6)


def searched(device: torch.device) -> Iterator[Row]:
    """A short search by time."""
    with tempfile.TemporaryDirectory() as place:
        began = time.perf_counter()
        opened = nas.search(trials=4, budget=SEARCH, device=str(device), storage=f"{place}/nas.db")
        seconds, best = time.perf_counter() - began, opened.best
        found = (
            f"{len(opened.history.trials)} networks, Dice {best.trial.values['dice']:.3f}, {seconds:.0f} s of {SEARCH}"
        )
        yield "search on synthetic brains", found, _verdict(seconds < 1.1 * 60)


def _guarded(check: Callable[[torch.device], Iterator[Row]], device: torch.device) -> list[Row]:
    rows: list[Row] = []
    try:
        rows += check(device)
    except Exception as error:  # the table must be whole, whatever one check meets
        rows.append((check.__name__, f"{type(error).__name__}: {error}".splitlines()[0], "WRONG"))
    return rows


def _plan(graph: Graph, device: torch.device) -> StepPlan:
    recipe = Recipe()
    images, labels = _batch(graph, device)
    return choose_plan(_network(graph, device), supervised(recipe.loss, 0.5), images[:2], labels[:2], steps=2000)


def _network(graph: Graph, device: torch.device) -> Network:
    return build(graph, seed=0).to(device)


def _batch(graph: Graph, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(BATCH, graph.task.channels, *graph.task.patch, generator=generator)
    labels = torch.randint(graph.task.classes, (BATCH, 1, *graph.task.patch), generator=generator)
    return images.to(device), labels.to(device)


def _seconds(step: Callable[[], object], device: torch.device) -> float:
    """Of one step, the mean of some after a few that set things up."""
    for _ in range(3):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    for _ in range(STEPS):
        step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - began) / STEPS


def _verdict(right: bool) -> str:
    return "right" if right else "WRONG"


if __name__ == "__main__":
    main(*sys.argv[1:])
