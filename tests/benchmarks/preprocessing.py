"""Building the cache against nnU-Net's own preprocessing, on the same data with the same number of processes.

    python -m tests.benchmarks.preprocessing Task04_Hippocampus --nnunet PYTHON [--processes 2]

PYTHON is the interpreter of an environment in which `pip install nnunetv2` was done. Both read every case for a
fingerprint and then write it preprocessed; each command runs by itself, its start included. Memory is the largest sum
over its processes, of their proportional share of what they hold (PSS), looked at every 30 ms.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import psutil
from rich.console import Console

from nas.cli.output import table
from nas.data import Dataset, open_dataset

OURS = """
import sys, time
from pathlib import Path
import nas.data.prepared
from nas.data import check, open_dataset, plan_preprocessing, prepare_dataset

if __name__ == "__main__":
    folder, cache, processes, forced = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "forced"
    if forced:
        nas.data.prepared.SMALL = 0
    start = time.perf_counter()
    dataset = open_dataset(folder)
    few = min(processes, nas.data.prepared.processes_for(dataset))
    fingerprint = check(dataset, processes=processes if forced else few)
    middle = time.perf_counter()
    prepare_dataset(dataset, plan_preprocessing(fingerprint), cache, processes=processes)
    print("SECONDS", middle - start, time.perf_counter() - middle)
"""

THEIRS = """
import sys, time
from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments, preprocess

if __name__ == "__main__":
    processes = int(sys.argv[1])
    start = time.perf_counter()
    extract_fingerprints([1], num_processes=processes, check_dataset_integrity=False, clean=True, verbose=False)
    middle = time.perf_counter()
    plan_experiments([1])
    planned = time.perf_counter()
    preprocess([1], configurations=(sys.argv[2],), num_processes=(processes,), verbose=False)
    print("SECONDS", middle - start, time.perf_counter() - planned)
"""


def main() -> None:
    """Run each and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--nnunet", help="Python of an environment with nnunetv2")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    dataset = open_dataset(options.data)
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for how in ("as it chooses", "forced"):
            arguments = [str(options.data), f"{place}/{how}", str(options.processes), how]
            rows.append((f"nas, {options.processes} processes {how}", *measure(sys.executable, OURS, arguments, {})))
        if options.nnunet:
            folders = as_nnunet(dataset, Path(place))
            configuration = "3d_fullres" if dataset.axes == 3 else "2d"
            name = f"nnU-Net, {options.processes} processes"
            rows.append((name, *measure(options.nnunet, THEIRS, [str(options.processes), configuration], folders)))
    cells = [
        (name, f"{total:.1f}", f"{fingerprint:.1f}", f"{writing:.1f}", f"{peak / 2**20:.0f}")
        for name, total, fingerprint, writing, peak in rows
    ]
    columns = ("what", "seconds in all", "fingerprint", "preprocessing", "peak MiB")
    Console(width=110).print(table(f"{dataset.name}, {len(dataset.cases)} cases", columns, cells))


def measure(python: str, program: str, arguments: list[str], environment: dict[str, str]) -> tuple[float, ...]:
    """Seconds in all, of the fingerprint and of the rest, and the peak of memory in bytes."""
    with tempfile.TemporaryDirectory() as place:
        script = Path(place, "program.py")  # spawned processes import it
        script.write_text(program)
        paths = {"PYTHONPATH": os.getcwd()} if python == sys.executable else {}
        start, peak = time.perf_counter(), 0
        with Path(place, "output").open("w+") as output:
            command = [python, str(script), *arguments]
            running = psutil.Popen(command, env={**os.environ, **paths, **environment}, stdout=output)
            while running.poll() is None:
                peak = max(peak, held(running))
                time.sleep(0.03)
            seconds = time.perf_counter() - start
            output.seek(0)
            lines = [line for line in output if line.startswith("SECONDS")]
        if running.returncode or not lines:
            raise SystemExit(f"{' '.join(command)}: ended with {running.returncode}")
    return seconds, *(float(part) for part in lines[0].split()[1:]), peak


def held(process: psutil.Process) -> int:
    """The memory of a process and all that it started, what they share counted once."""
    total = 0
    try:
        for each in [process, *process.children(recursive=True)]:
            total += each.memory_full_info().pss
    except psutil.Error:  # one has just ended
        pass
    return total


def as_nnunet(dataset: Dataset, place: Path) -> dict[str, str]:
    """Links to the data in nnU-Net's layout; the variables that tell it where they are."""
    folder = place / "raw/Dataset001_Measured"
    for part in ("imagesTr", "labelsTr"):
        (folder / part).mkdir(parents=True)
    assert dataset.cases[0].label is not None
    ending = "".join(dataset.cases[0].label.suffixes[-2:]) if dataset.axes == 3 else dataset.cases[0].label.suffix
    for case in dataset.cases:
        assert case.label is not None
        for number, image in enumerate(case.images):
            (folder / f"imagesTr/{case.name}_{number:04d}{ending}").symlink_to(image.resolve())
        (folder / f"labelsTr/{case.name}{ending}").symlink_to(case.label.resolve())
    description = {
        "channel_names": {str(number): name for number, name in enumerate(dataset.channels)},
        "labels": {name: index for index, name in enumerate(dataset.classes)},
        "numTraining": len(dataset.cases),
        "file_ending": ending,
    }
    (folder / "dataset.json").write_text(json.dumps(description))
    return {
        "nnUNet_raw": str(place / "raw"),
        "nnUNet_preprocessed": str(place / "preprocessed"),
        "nnUNet_results": str(place / "results"),
    }


if __name__ == "__main__":
    main()
