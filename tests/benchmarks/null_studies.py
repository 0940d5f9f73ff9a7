"""How often a confirmation is right: studies whose truth is known, with and without a difference.

    python -m tests.benchmarks.null_studies 1000        # or: nas confirm --simulate 1000

"better" is said of any of three finalists; without a difference that is false, and may be so in 5% of the studies. With
a difference, those studies count that could show it by their own word (the smallest difference that they print), and
80% of them must name it.
"""

import sys

from nas.confirming.simulation import WORLDS, rates


def main(studies: int) -> bool:
    """Print a line for each world; whether all bars are kept."""
    right = True
    print(f"{studies} studies a world, three finalists; differences in Dice", flush=True)
    for name in WORLDS:
        seen = rates(name, studies)
        right &= seen.right
        print(
            f"{name:36} falsely better {seen.false:6.1%}   named {seen.named:6.1%} of {seen.large_enough} large enough",
            flush=True,
        )
    print("RIGHT" if right else "WRONG")
    return right


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000) else 1)
