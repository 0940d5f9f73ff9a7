"""nnU-Net's networks: PlainConvUNet and ResidualEncoderUNet of dynamic-network-architectures."""

import re

from nas.network.published.layout import Ends, Layout, Names, Rule, left_out, nth, only


def _scores(match: re.Match[str], ends: Ends) -> Names:
    """The finest of the layers of scores is the head; the others are there even if they are not trained."""
    number = int(match[1])
    return "head.conv" if number == ends.decoder else (f"auxiliary.{ends.decoder - 1 - number}.conv", "")


def _residual(match: re.Match[str], ends: Ends) -> Names:
    stage, unit, number, kind = match.groups()
    return f"encoder.{stage}.block.{unit}.{nth(kind, number)}"


_RULES: tuple[Rule, ...] = (
    # Everything is listed again where the decoder keeps its encoder, and each layer where it is run.
    (r"decoder\.encoder\..*", left_out),
    (r".*\.all_modules\.\d+", left_out),
    (r"encoder\.stem\.convs\.0\.(conv|norm)", only("stem.{0}")),
    (r"encoder\.stages\.(\d+)\.0\.convs\.(\d+)\.(conv|norm)", only("encoder.{0}.block.{1}.{2}")),
    (r"encoder\.stages\.(\d+)\.blocks\.(\d+)\.conv([123])\.(conv|norm)", _residual),
    # A pool comes first where the resolution changes.
    (r"encoder\.stages\.(\d+)\.blocks\.(\d+)\.skip\.[01]\.(conv|norm)", only("encoder.{0}.block.{1}.shortcut.{2}")),
    (r"decoder\.stages\.(\d+)\.convs\.(\d+)\.(conv|norm)", only("decoder.{0}.block.{1}.{2}")),
    (r"decoder\.transpconvs\.(\d+)", only("decoder.{0}.up.up")),
    (r"decoder\.seg_layers\.(\d+)", _scores),
)

LAYOUT = Layout("dynamic-network-architectures", _RULES, reversed=r"decoder\.\d+\.skip\.concat")
