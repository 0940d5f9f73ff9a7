"""From what the user named to a data set."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nas.data import brain, files
from nas.data.dataset import Dataset
from nas.data.options import DataOptions, with_options
from nas.data.readers import Reader, readers
from nas.data.readers.layouts import nearly, read_as
from nas.errors import InputError, did_you_mean

BUILT_IN = "brain"
MOST_NAMED = 10


def open_dataset(source: str | Path | None = None, options: DataOptions | None = None) -> Dataset:
    """Open the data set in a folder, or the built-in synthetic one for None and "brain".

    Files are listed, not read: `Dataset.load` and `check` say what is wrong inside them. InputError where there is no
    such folder, no reader knows its layout, files are missing or left over, or there are fewer than two cases, or where
    the options do not fit the data. (A folder that is called brain is given as ./brain.)
    """
    options = options or DataOptions()
    if source is None or source == BUILT_IN:
        return with_options(brain.dataset(), options)
    folder = Path(source)
    _expect_filled_folder(folder)
    if options.layout is not None:
        return with_options(read_as(folder, options.layout), options)
    for reader in readers():
        dataset = reader.read(folder)
        if dataset is not None:
            return with_options(dataset, options)
    raise _unknown_layout(folder)


def _expect_filled_folder(folder: Path) -> None:
    if folder.is_file():
        raise InputError(f"{folder}: is a file; expected the folder of a data set, so give {folder.parent}")
    if not folder.is_dir():
        siblings = [path.name for path in folder.parent.iterdir() if path.is_dir()] if folder.parent.is_dir() else []
        advice = did_you_mean(folder.name, [*siblings, BUILT_IN], "the folder of a data set")
        raise InputError(f"{folder}: no such folder; {advice}")
    try:
        empty = not any(folder.iterdir())
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed ({error.strerror}); make it readable") from error
    if empty:
        raise InputError(f"{folder}: is empty; expected the folder of a data set")


def _unknown_layout(folder: Path) -> InputError:
    """What was found instead, and what the nearest layout lacks."""
    available = readers()
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and _nearest(path, available)[1] == ()]
    if inside:
        named = ", ".join(path.name for path in inside[:MOST_NAMED]) + (", ..." if len(inside) > MOST_NAMED else "")
        return InputError(f"{folder}: holds no data set itself, but folders that do: {named}; give one of them")
    nearest, missing = _nearest(folder, available)
    near = f"; nearest is {nearest.LAYOUT}: missing {', '.join(missing)}" if nearest and missing else ""
    published = nearly(folder)
    near = f"; {published}" if published else near
    layouts = "".join(f"\n  {reader.LAYOUT}" for reader in available)
    content = f"holds no data set in a layout that is known, but {_content(folder)}"
    return InputError(f"{folder}: {content}{near}; expected one of:{layouts}")


def _nearest(folder: Path, available: list[Reader]) -> tuple[Reader | None, tuple[str, ...]]:
    """The layout most of whose signs are there, and the signs that are not; none where no sign is."""
    names = {path.name for path in folder.iterdir()}
    scored = [(reader, tuple(_missing(names, reader))) for reader in available if getattr(reader, "SIGNS", ())]
    started = [(reader, missing) for reader, missing in scored if len(missing) < len(reader.SIGNS)]
    return min(started, key=lambda pair: len(pair[1]) / len(pair[0].SIGNS), default=(None, ("everything",)))


def _missing(names: set[str], reader: Reader) -> Iterator[str]:
    return (" or ".join(alternatives) for alternatives in reader.SIGNS if not names & set(alternatives))


def _content(folder: Path) -> str:
    """What lies in a folder, in words."""
    paths = sorted(folder.iterdir())
    folders = [path.name for path in paths if path.is_dir()]
    kinds = Counter(files.suffix_of(path) or path.suffix or path.name for path in paths if not path.is_dir())
    parts = [f"{count} {kind}" for kind, count in kinds.most_common(MOST_NAMED)]
    if folders:
        more = len(folders) - MOST_NAMED
        parts.append(f"the folders {', '.join(folders[:MOST_NAMED])}" + (f" and {more} more" if more > 0 else ""))
    return ", ".join(parts)
