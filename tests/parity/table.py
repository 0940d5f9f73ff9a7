"""Writes docs/parity.md: `python -m tests.parity.table docs/parity.md` in the environment that `make parity` makes."""

import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from tests.parity.cases import CASES, Case, compare, is_installed

HEAD = """# The published networks, weight by weight

Each network is made by the library that publishes it, with random weights, norm statistics included; `load_published`
puts those weights into the member of `unet_family`, and both are run on the same random image in evaluation mode and
double precision. The difference is the largest of any output value, and then its share of the largest output; what
is left is the order in which numbers are summed. Encoders are compared at their last tensor here, and at every stage,
written to a file and read back, in `tests/parity/test_encoders.py`.

    make parity                                             # an environment of its own, the tests, and this table

{versions}.

| member | parameters | library | made by | difference | share |
|---|---|---|---|---|---|
"""
TAIL = """
Differences by choice:

- MedNeXt is compared in single precision, for there is no fast depthwise convolution in double.
- torchvision's and timm's networks are encoders here; their classifiers are left out.
- tiramisu-brulee has no biases before its norms, which `load_published` fills with zeros, and pads with the edge of an
  image where the paper pads with zeros; it is compared with zeros.
- MONAI's V-Net is compared in evaluation mode: its dropout of whole channels in training is no part of our member.
- nnU-Net's presets M, L and XL are one rule; how many stages there are follows from the patch that it plans. XL goes
  down along one axis alone at its last step here, to fit a small image: fewer weights in the up-convolution there.
"""


def rows() -> Iterator[str]:
    for case in CASES:
        if not is_installed(case.library):
            raise SystemExit(f"{case.library} is not installed; run make parity")
        yield _row(case)


def _row(case: Case) -> str:
    result = compare(case)
    print(f"{case.member}: {result.relative:.1e}", file=sys.stderr)
    columns = (
        case.member,
        f"{result.parameters:,}",
        case.library,
        f"`{case.made}`",
        f"{result.largest_difference:.1e}",
        f"{result.relative:.1e}",
    )
    return f"| {' | '.join(columns)} |"


def versions() -> str:
    libraries = dict.fromkeys(case.library for case in CASES)
    return ", ".join(f"{name} {version(name)}" for name in ("torch", *libraries))


def main(file: Path) -> None:
    file.write_text(HEAD.format(versions=versions()) + "\n".join(rows()) + "\n" + TAIL, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
