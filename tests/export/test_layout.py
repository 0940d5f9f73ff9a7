"""Long lines are broken where a formatter would break them."""

import pytest

from nas.export.layout import layout

LINES = [
    ("a line that fits", "x = F.relu(x)", ["x = F.relu(x)"]),
    (
        "what is in the brackets goes on a line of its own",
        "        self.conv = nn.Conv2d(inputs, channels, kernel_of_some_size, padding=padding, dilation=2)",
        [
            "        self.conv = nn.Conv2d(",
            "            inputs, channels, kernel_of_some_size, padding=padding, dilation=2",
            "        )",
        ],
    ),
    (
        "or each part on one, if that is too long",
        f"    names = make({'a' * 40}, f({'b' * 20}, {'c' * 20}))",
        [
            "    names = make(",
            f"        {'a' * 40},",
            f"        f({'b' * 20}, {'c' * 20}),",
            "    )",
        ],
    ),
    (
        "a comprehension is broken before its for",
        f"    made = [{'layer' * 8}(x) for layer, x in zip(self.auxiliary, reversed(features[:-1]))]",
        [
            "    made = [",
            f"        {'layer' * 8}(x)",
            "        for layer, x in zip(self.auxiliary, reversed(features[:-1]))",
            "    ]",
        ],
    ),
    (
        "brackets and commas in a string are text",
        f'    raise ValueError(f"{"a, (b " * 12}")',
        ["    raise ValueError(", f'        f"{"a, (b " * 12}"', "    )"],
    ),
    (
        "a function is broken at what it is given before what it returns",
        f"    def forward(self, x: Tensor) -> Tensor | tuple[{', '.join(['Tensor'] * 7)}]:",
        [
            "    def forward(",
            "        self, x: Tensor",
            f"    ) -> Tensor | tuple[{', '.join(['Tensor'] * 7)}]:",
        ],
    ),
    (
        "several values that are returned stand one a line",
        f"    return {', '.join(f'coarser[{number}]' for number in range(8))}",
        ["    return (", *(f"        coarser[{number}]," for number in range(8)), "    )"],
    ),
    ("what has no brackets stays", f"    expected = {'x' * 90}", [f"    expected = {'x' * 90}"]),
]


@pytest.mark.parametrize(("line", "expected"), [item[1:] for item in LINES], ids=[item[0] for item in LINES])
def test_layout(line: str, expected: list[str]) -> None:
    assert layout(line) == expected
