"""Numbers and metrics as people say them, in a terminal and on a page alike."""

from collections.abc import Mapping


def short_count(number: float) -> str:
    """A count as people say it: 31.0 M, 48.1 G."""
    value = float(number)
    for unit in ("", " k", " M", " G"):
        if value < 999.95:
            return f"{value:.0f}" if unit == "" else f"{value:.1f}{unit}"
        value /= 1000
    return f"{value:.1f} T"


def duration(seconds: float) -> str:
    """A time as people say it: 8.4 s, 12 min, 3 h 05 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


_NAMES = {
    "dice": "Dice",
    "iou": "IoU",
    "hausdorff95": "HD95",
    "surface_dice": "surface Dice",
    "onnx_latency": "ONNX latency",
}


def metric_name(metric: str) -> str:
    """A metric as people write it."""
    return _NAMES.get(metric, metric.replace("_", " "))


def measured(metric: str, value: float) -> str:
    """A value with its unit and as many digits as say something."""
    match metric:
        case "latency" | "onnx_latency":
            return f"{1000 * value:.1f} ms"
        case "hausdorff95":
            return f"{value:.2f} mm"
        case "seconds":
            return duration(value)
        case "parameters" | "macs" | "training_bytes":
            return short_count(value)
    return f"{value:.4f}"


def in_words(values: Mapping[str, float]) -> str:
    """Values by metric in one line: Dice 0.8821."""
    return ", ".join(f"{metric_name(metric)} {measured(metric, value)}" for metric, value in values.items())


def counted(number: int, noun: str) -> str:
    """So many of something: 1 case, 12 cases."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def percent(share: float) -> str:
    """A share with as many digits as it needs: 1.6%, 25%."""
    return f"{share:.1%}" if 0 < share < 0.0995 and round(share * 100, 1) % 1 else f"{share:.0%}"


def readable(text: str) -> str:
    """Text from outside without what would break or turn a line around."""
    return "".join(letter if letter.isprintable() or letter in "\n\u200c\u200d" else "\ufffd" for letter in text)
