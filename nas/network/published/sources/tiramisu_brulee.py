"""Tiramisu2d and Tiramisu3d of tiramisu-brulee."""

from nas.network.published.layout import Layout, Rule, only

_RULES: tuple[Rule, ...] = (
    (r"first_conv\.0", only("stem.conv")),
    (r"dense_down\.(\d+)\.layers\.(\d+)\.(conv|norm)", only("encoder.{0}.block.{1}.{2}")),
    (
        r"trans_down\.(\d+)\.(conv|norm)",
        lambda match, ends: f"encoder.{int(match[1]) + 1}.down.{match[2]}",
    ),
    (
        r"bottleneck\.bottleneck\.layers\.(\d+)\.(conv|norm)",
        lambda match, ends: f"encoder.{ends.encoder}.block.{match[1]}.{match[2]}",
    ),
    (r"trans_up\.(\d+)\.conv", only("decoder.{0}.up.up")),
    (r"dense_up\.(\d+)\.layers\.(\d+)\.(conv|norm)", only("decoder.{0}.block.{1}.{2}")),
    (r"final_conv", only("head.conv")),
)

LAYOUT = Layout("tiramisu-brulee", _RULES, reversed=r"decoder\.\d+\.skip\.concat")
