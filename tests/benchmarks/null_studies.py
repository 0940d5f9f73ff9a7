"""How often a confirmation is right: studies whose truth is known, with and without a difference.

    python -m tests.benchmarks.null_studies 1000

"better" is said of any of three finalists; without a difference that is false, and may be so in 5% of the studies. With
a difference, those studies count that could show it by their own word (the smallest difference that they print), and
80% of them must name it.
"""

import sys
from dataclasses import replace

from nas.confirming.simulation import World, simulate

WORLDS = {
    "200 cases, 5 folds, 2 seeds": World(),
    "200 cases, 5 folds, 1 seed": World(seeds=1),
    "60 cases, 5 folds, 2 seeds": World(cases=60),
    "200 cases, held out, 3 seeds": World(folds=1, seeds=3),
    "200 cases, trainings differ much": World(by_training=0.005),
    "200 cases, trainings do not differ": World(by_training=0.0),
}
GAINS = (0.003, 0.005, 0.01)


def main(studies: int) -> bool:
    """Print a line for each world; whether all bars are kept."""
    right = True
    print(f"{studies} studies a world, three finalists; differences in Dice", flush=True)
    for name, world in WORLDS.items():
        false = simulate(world, studies).better / studies
        large = named = 0
        for gain in GAINS:
            found = simulate(replace(world, gain=gain), max(studies // len(GAINS), 1))
            large, named = large + found.large_enough, named + found.named
        power = named / large if large else float("nan")
        right &= false <= 0.05 and not power < 0.8
        print(f"{name:36} falsely better {false:6.1%}   named {power:6.1%} of {large} large enough", flush=True)
    print("RIGHT" if right else "WRONG")
    return right


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000) else 1)
