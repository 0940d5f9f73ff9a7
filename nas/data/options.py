"""What a user says of data beyond their files: whose the cases are, and which label values mean the same."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from nas.data.dataset import Dataset
from nas.data.fold_files import expect_known, read_splits
from nas.data.labels import LabelGroup
from nas.data.layout import Layout, open_layout
from nas.data.loading import FileLoader
from nas.data.notes import listed
from nas.data.patients import GROUP, groups_by_pattern
from nas.data.problems import refuse
from nas.data.splits import Split, crossing_groups
from nas.errors import InputError

SPLITS = "splits"
"""What folds that a user names are called."""
GROUP_COLUMNS = ("group", "patient", "patient_id", "subject", "subject_id")


@dataclass(frozen=True)
class DataOptions:
    """What is said of a data set, with all its content, so that a study that keeps it needs no further file.

    groups: the group of a case, by the case's name; cases of one group are never on both sides of a split.
    group_pattern: instead of these, what names of cases look like, with {group} in the place of the group's name, as in
    "{group}_frame*". labels: values that are joined to a class or renamed. layout: where the files lie, where that is
    not to be recognised. splits: the folds, in the place of those that the data bring.
    """

    groups: Mapping[str, str] = field(default_factory=dict)
    group_pattern: str = ""
    labels: tuple[LabelGroup, ...] = ()
    layout: Layout | None = None
    splits: tuple[Split, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Everything, as values that JSON has."""
        document = asdict(replace(self, layout=None, splits=()))
        document |= {} if self.layout is None else {"layout": self.layout.to_json()}
        if self.splits:
            return document | {"splits": [asdict(split) for split in self.splits]}
        return {name: value for name, value in document.items() if name != "splits"}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "DataOptions":
        """What `to_json` gave."""
        labels = tuple(LabelGroup(group["name"], tuple(group["values"])) for group in document["labels"])
        layout = document.get("layout")
        splits = (Split(tuple(fold["training"]), tuple(fold["validation"])) for fold in document.get("splits", ()))
        return cls(
            dict(document["groups"]),
            document["group_pattern"],
            labels,
            None if layout is None else Layout.from_json(layout),
            tuple(splits),
        )


def read_options(
    groups: str | Path | None = None,
    labels: str | Sequence[str] = (),
    layout: str | Path | Layout | None = None,
    splits: str | Path | None = None,
) -> DataOptions:
    """Options as they are given in a terminal.

    Args:
        groups: a CSV file with the columns case and group, or a pattern such as "{group}_frame*".
        labels: values and the class that they are, "1,255=lesion"; several divided by semicolons.
        layout: a layout, the name of a shipped one, or a TOML file.
        splits: a file of folds, as nnU-Net's splits_final.json.

    Raises:
        InputError: they cannot be read; the message says which.
    """
    texts = [labels] if isinstance(labels, str) else labels
    groups_of_labels = tuple(_label_group(part) for text in texts for part in text.split(";") if part.strip())
    options = DataOptions(
        labels=groups_of_labels,
        layout=None if layout is None else open_layout(layout),
        splits=() if splits is None else read_splits(Path(splits)),
    )
    if groups is None:
        return options
    if GROUP in str(groups):
        return replace(options, group_pattern=str(groups))
    return replace(options, groups=read_groups(Path(groups)))


def read_groups(path: Path) -> dict[str, str]:
    """The groups in a CSV file, by case: the columns case and group where it names its columns, else the first two.

    Raises:
        InputError: it cannot be read, or says two things of a case.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            text = file.read()
        rows = [row for row in csv.reader(text.splitlines(), delimiter=_delimiter(text)) if any(map(str.strip, row))]
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(
            f"groups: {path}: cannot be read ({error}); expected a CSV file with the columns case and group, or a "
            f"pattern with {GROUP}"
        ) from error
    return _groups(path, rows)


def with_options(dataset: Dataset, options: DataOptions) -> Dataset:
    """The data set as the options say.

    Raises:
        InputError: they do not fit it: cases without a group, groups of unknown cases, folds that part a group.
    """
    if options == DataOptions():
        return dataset
    if dataset.synthetic:
        raise InputError(f"{dataset.name}: groups, labels, folds and a layout are for data of files; leave them out")
    return _with_groups(_with_splits(_with_labels(dataset, options.labels), options.splits), options)


def _label_group(text: str) -> LabelGroup:
    values, equals, name = text.partition("=")
    numbers = [value.strip() for value in values.split(",")]
    if not equals or not name.strip() or not all(value.isascii() and value.isdecimal() for value in numbers):
        raise InputError(
            f"labels: found {text.strip()!r}; expected values and the name of their class, as in 1,255=lesion"
        )
    return LabelGroup(name.strip(), tuple(int(value) for value in numbers))


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _groups(path: Path, rows: Sequence[Sequence[str]]) -> dict[str, str]:
    first = [name.strip().lower() for name in rows[0]] if rows else []
    case, group = 0, 1
    column = next((name for name in GROUP_COLUMNS if name in first), None)
    if "case" in first and column is not None:
        case, group, rows = first.index("case"), first.index(column), rows[1:]
    groups: dict[str, str] = {}
    for row in rows:
        if len(row) <= max(case, group) or not row[case].strip() or not row[group].strip():
            raise InputError(f"groups: {path}: the line {', '.join(row)!r}; expected a case and its group")
        name, value = row[case].strip(), row[group].strip()
        if groups.setdefault(name, value) != value:
            raise InputError(f"groups: {path}: case {name} is in the groups {groups[name]} and {value}; expected one")
    if not groups:
        raise InputError(f"groups: {path}: no lines; expected the columns case and group, a line for each case")
    return groups


def _with_labels(dataset: Dataset, groups: Sequence[LabelGroup]) -> Dataset:
    if not groups or not isinstance(dataset.loader, FileLoader):
        return dataset
    labels = dataset.loader.labels.joined(groups)
    return replace(
        dataset, classes=labels.classes, regions=labels.regions, loader=replace(dataset.loader, labels=labels)
    )


def _with_splits(dataset: Dataset, splits: tuple[Split, ...]) -> Dataset:
    if not splits:
        return dataset
    groups = {case.name: case.group or case.name for case in dataset.cases}
    expect_known(splits, groups, SPLITS)
    refuse(crossing_groups(groups, splits, SPLITS))
    return replace(dataset, splits=splits, split_source=SPLITS)


def _with_groups(dataset: Dataset, options: DataOptions) -> Dataset:
    if not options.groups and not options.group_pattern:
        return dataset
    groups = options.groups or groups_by_pattern((case.name for case in dataset.cases), options.group_pattern)
    missing = [case.name for case in dataset.cases if case.name not in groups]
    unknown = sorted(groups.keys() - {case.name for case in dataset.cases})
    if missing or unknown:
        fault = f"no group for {listed(missing)}" if missing else f"no such case as {listed(unknown)}"
        raise InputError(
            f"groups: {fault}; expected the group of each of the {len(dataset.cases)} cases by its name, "
            f"such as {dataset.cases[0].name}"
        )
    cases = tuple(replace(case, group=groups[case.name]) for case in dataset.cases)
    refuse(crossing_groups({case.name: case.group for case in cases}, dataset.splits, dataset.split_source))
    return replace(dataset, cases=cases)
