"""From what the user named to a data set."""

from pathlib import Path

from nas.data import brain
from nas.data.dataset import Dataset
from nas.data.layout import Layout, open_layout
from nas.data.readers import readers
from nas.data.readers.layouts import read_as
from nas.errors import InputError, did_you_mean

BUILT_IN = "brain"


def open_dataset(source: str | Path | None = None, *, layout: str | Path | Layout | None = None) -> Dataset:
    """Open the data set in a folder, or the built-in synthetic one for None and "brain".

    Args:
        source: the folder.
        layout: where its files lie, as the name of a shipped layout, a TOML file or a `Layout`; else it is recognised.

    Files are listed, not read: `Dataset.load` and `check` say what is wrong inside them. InputError where there is no
    such folder, no reader knows its layout, files are missing or left over, or there are fewer than two cases.
    (A folder that is called brain is given as ./brain.)
    """
    if source is None or source == BUILT_IN:
        if layout is not None:
            raise InputError("layout: given without a folder; expected the folder whose files it describes")
        return brain.dataset()
    folder = Path(source)
    _expect_filled_folder(folder)
    if layout is not None:
        return read_as(folder, open_layout(layout))
    available = readers()
    for reader in available:
        dataset = reader.read(folder)
        if dataset is not None:
            return dataset
    layouts = "".join(f"\n  {reader.LAYOUT}" for reader in available)
    raise InputError(f"{folder}: holds no data set in a layout that is known; expected one of:{layouts}")


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
