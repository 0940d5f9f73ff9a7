"""What a user gets for their time: the plain loop, the first published network and a search, on several data sets.

Run: python -m tests.benchmarks.budgets TABLE.jsonl FOLDER ... ; a table that is there is gone on with. About 22 minutes
for a data set. The seconds of the plain loop are of training alone, those of nas all that a user waits.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.benchmarks import plain_loop

SEARCH = ("--holdout", "0", "--study", "measured")


def plain(folder: str, seconds: float) -> dict[str, Any]:
    """Dice of the plain loop, trained for so long."""
    training, validation, classes = plain_loop.load(folder)
    network, steps = plain_loop.train(training, classes, seconds, seed=0)
    return {"dice": plain_loop.validate(network, validation, classes), "steps": steps}


def search(folder: str, *options: str) -> dict[str, Any]:
    """What a search returns: its best network, and what its finalists reach together."""
    command = [sys.executable, "-m", "nas.cli", "search", "--data", str(Path(folder).resolve()), *SEARCH, "--json"]
    with tempfile.TemporaryDirectory() as place:
        began = time.monotonic()
        ran = subprocess.run([*command, *options], cwd=place, stdout=subprocess.PIPE, check=True)
        seconds = time.monotonic() - began
    found = json.loads(ran.stdout)
    name, together = found["best"]["reference"] or "found by the search", found["together"]
    return {
        "dice": found["best"]["dice"],
        "network": name,
        "together": together and together["dice"],
        "seconds": seconds,
    }


WAYS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "plain loop, 50 s": lambda folder: plain(folder, 50),
    "first network, 60 s": lambda folder: search(folder, "--trials", "1", "--budget", "60s"),
    "plain loop, 290 s": lambda folder: plain(folder, 290),
    "search, 15 minutes": lambda folder: search(folder, "--budget", "15m"),
}


def main(table: Path, folders: list[str]) -> None:
    """Fill the table and print it."""
    rows = [json.loads(line) for line in table.read_text().splitlines()] if table.exists() else []
    known = {(row["data"], row["way"]): row for row in rows}
    for folder in folders:
        for way, measure in WAYS.items():
            key = (Path(folder).name, way)
            if key not in known:
                known[key] = {"data": key[0], "way": way, **measure(folder)}
                with table.open("a") as file:
                    file.write(json.dumps(known[key]) + "\n")
                print(known[key], file=sys.stderr, flush=True)
    print("| data |", " | ".join(WAYS), "| finalists averaged |\n|", "---|" * (len(WAYS) + 2), sep="")
    for data in dict.fromkeys(data for data, _ in known):
        cells = [f"{known[data, way]['dice']:.3f}" if (data, way) in known else "" for way in WAYS]
        together = known.get((data, "search, 15 minutes"), {}).get("together")
        print("|", data, "|", " | ".join(cells), "|", f"{together:.3f}" if together else "", "|")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
