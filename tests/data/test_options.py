"""What a user says of data: whose the cases are, and which label values mean the same."""

import json
from pathlib import Path

import numpy as np
import pytest

from nas.data import DataOptions, Split, check, open_dataset, read_options
from nas.data.labels import LabelGroup
from nas.data.patients import groups_by_pattern, groups_in_names, pattern_of
from nas.errors import InputError

from .factories import BOX, SQUARE, containing, describing, labels, msd, nnunet_nifti, nnunet_regions, pairs, write

FRAMES = tuple(f"patient00{patient}_frame0{frame}" for patient in (1, 2, 3) for frame in (1, 9))


def by_patient(path: Path, header: str = "case,group", patient: str = "P{}") -> Path:
    rows = [f"{name},{patient.format(name[9])}" for name in FRAMES]
    path.write_text("\n".join([header, *rows] if header else rows))
    return path


@pytest.mark.parametrize("header", ["case,group", "Case,Patient", "", "case,subject_id"])
def test_groups_come_from_a_table(header: str, tmp_path: Path) -> None:
    options = read_options(by_patient(tmp_path / "groups.csv", header))
    dataset = open_dataset(msd(tmp_path / "data", cases=FRAMES), options)
    assert [case.group for case in dataset.cases] == ["P1", "P1", "P2", "P2", "P3", "P3"]
    for fold in range(3):
        parts = dataset.split(fold)
        assert not {name[:10] for name in parts.training} & {name[:10] for name in parts.validation}


def test_groups_come_from_names(tmp_path: Path) -> None:
    dataset = open_dataset(msd(tmp_path, cases=FRAMES), read_options("{group}_frame*"))
    assert [case.group for case in dataset.cases[::2]] == ["patient001", "patient002", "patient003"]


def test_columns_may_stand_in_any_order_and_between_semicolons(tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text("\ufeffage;patient;case\r\n50;P1;a\r\n\r\n51;P2;b\r\n")
    assert read_options(tmp_path / "g.csv").groups == {"a": "P1", "b": "P2"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("case,group\n", "no lines"),
        ("case,group\ncase_1\n", "the line 'case_1'; expected a case and its group"),
        ("case,group\ncase_1,A\ncase_1,B\n", "case case_1 is in the groups A and B"),
        ("case,group\ncase_1,A\n", "no group for case_2, case_3"),
        ("case,group\ncase_1,A\ncase_2,A\ncase_3,B\ncase_4,C\n", "no such case as case_4"),
    ],
)
def test_groups_that_do_not_fit(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "g.csv").write_text(text)
    with pytest.raises(InputError, match=f"groups: .*{message}"):
        open_dataset(msd(tmp_path / "data"), read_options(tmp_path / "g.csv"))


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"groups: .*nowhere.csv: cannot be read"):
        read_options(tmp_path / "nowhere.csv")


def test_folds_that_part_a_group_are_refused(tmp_path: Path) -> None:
    folder = nnunet_nifti(tmp_path / "data")
    folds = [{"train": ["case_1", "case_2"], "val": ["case_3"]}]
    containing("splits_final.json", json.dumps(folds).encode())(folder)
    groups = DataOptions({"case_1": "A", "case_2": "B", "case_3": "B"})
    with pytest.raises(InputError, match=r"splits_final.json: fold 0: group B trains and validates"):
        open_dataset(folder, groups)


def test_values_are_joined_and_renamed(tmp_path: Path) -> None:
    folder = pairs(tmp_path)
    dataset = open_dataset(folder, read_options(labels="7,255=lesion"))
    assert dataset.classes == ("background", "lesion")
    np.testing.assert_array_equal(dataset.load(dataset.cases[0]).label, labels(SQUARE, (0, 1, 1)))


@pytest.mark.parametrize(
    ("text", "classes", "indices"),
    [
        ("1=left", ("background", "left", "back"), (0, 1, 2)),
        ("1=back", ("background", "back"), (0, 1, 1)),
        ("0=air;2=bone", ("air", "front", "bone"), (0, 1, 2)),
        ("0,1=background", ("background", "back"), (0, 0, 1)),
        ("2=ignore", ("background", "front"), (0, 1, 255)),
    ],
)
def test_declared_classes_are_joined_and_renamed(
    text: str, classes: tuple[str, ...], indices: tuple[int, ...], tmp_path: Path
) -> None:
    dataset = open_dataset(msd(tmp_path), read_options(labels=text))
    assert dataset.classes == classes
    np.testing.assert_array_equal(dataset.load(dataset.cases[0]).label, labels(BOX, indices))


def test_a_value_that_is_not_declared_may_join_one_that_is(tmp_path: Path) -> None:
    folder = msd(tmp_path)
    write(folder / "labelsTr/case_2.nii.gz", labels(BOX, (0, 255, 2)))
    with pytest.raises(InputError, match="undeclared label values 255"):
        check(open_dataset(folder))
    assert check(open_dataset(folder, read_options(labels=["1,255=front"]))).classes[1].cases == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lesion", "found 'lesion'; expected values and the name of their class"),
        ("1,x=lesion", "found '1,x=lesion'"),
        ("-1=lesion", "found '-1=lesion'"),
        ("1=", "found '1='"),
        ("1,2=ignore", "found 'ignore' with .1, 2."),
        ("0,1,2=background", "1 classes"),
    ],
)
def test_labels_that_say_nothing(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"labels: .*{message}"):
        open_dataset(msd(tmp_path), read_options(labels=text))


def test_regions_are_not_joined(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the data declare regions"):
        open_dataset(nnunet_regions(tmp_path), read_options(labels="1=core"))


def test_the_built_in_data_take_none() -> None:
    with pytest.raises(InputError, match="groups, labels, folds and a layout are for data of files"):
        open_dataset(None, read_options(labels="1=grey"))


@pytest.mark.parametrize(
    "options",
    [
        DataOptions(),
        DataOptions({"a": "P"}, labels=(LabelGroup("lesion", (1, 255)),)),
        DataOptions(group_pattern="{group}_*"),
        DataOptions(splits=(Split(("a", "b"), ("c",)),)),
    ],
)
def test_a_study_keeps_them_as_json(options: DataOptions) -> None:
    assert DataOptions.from_json(json.loads(json.dumps(options.to_json()))) == options


def test_a_fold_of_each_case_as_auto3dseg_has_it(tmp_path: Path) -> None:
    folder = msd(tmp_path)
    entries = json.loads((folder / "dataset.json").read_text())["training"]
    describing(training=[entry | {"fold": number} for entry, number in zip(entries, (1, 0, 1), strict=True)])(folder)
    dataset = open_dataset(folder)
    assert dataset.splits == (Split(("case_1", "case_3"), ("case_2",)), Split(("case_2",), ("case_1", "case_3")))
    assert check(dataset).folds is not None


@pytest.mark.parametrize(
    ("folds", "message"),
    [((0, 0, 0), "0 for every case"), ((0, 1, "2"), "'2' for case case_3"), ((0, 1, -1), "-1 for case case_3")],
)
def test_folds_that_are_none(folds: tuple[object, ...], message: str, tmp_path: Path) -> None:
    folder = msd(tmp_path)
    entries = json.loads((folder / "dataset.json").read_text())["training"]
    describing(training=[entry | {"fold": fold} for entry, fold in zip(entries, folds, strict=True)])(folder)
    with pytest.raises(InputError, match=f"field 'fold': found {message}"):
        open_dataset(folder)


def test_a_patient_of_each_case_is_its_group(tmp_path: Path) -> None:
    folder = msd(tmp_path)
    entries = json.loads((folder / "dataset.json").read_text())["training"]
    describing(training=[entry | {"patient": patient} for entry, patient in zip(entries, "ABB", strict=True)])(folder)
    assert [case.group for case in open_dataset(folder).cases] == ["A", "B", "B"]


def test_a_list_of_validation_is_a_fold(tmp_path: Path) -> None:
    folder = msd(tmp_path)
    entries = json.loads((folder / "dataset.json").read_text())["training"]
    describing(training=entries[1:], validation=entries[:1])(folder)
    assert open_dataset(folder).splits == (Split(("case_2", "case_3"), ("case_1",)),)


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (FRAMES, "{group}_frame*"),
        (("p1-left", "p1-right", "p2-left", "p2-right"), "{group}-*"),
        (("sub01_ses-1_T1", "sub01_ses-2_T1", "sub02_ses-1_T1", "sub02_ses-2_T1"), "{group}_ses-*"),
    ],
)
def test_names_that_show_patients(names: tuple[str, ...], pattern: str) -> None:
    groups = groups_in_names(names)
    assert pattern_of(groups) == pattern
    assert groups_by_pattern(names, pattern) == groups


@pytest.mark.parametrize(
    "names",
    [
        ("case_1", "case_2", "case_3"),
        ("hippocampus_001", "hippocampus_003"),
        ("21_training", "22_training"),
        ("ISIC_0012", "ISIC_0013"),
        ("a", "b"),
        ("benign (1)", "benign (2)"),
        ("img_0001", "img_0002"),
    ],
)
def test_names_that_show_none(names: tuple[str, ...]) -> None:
    assert groups_in_names(names) == {}


def test_names_of_one_patient_are_said_with_the_option_that_keeps_them_together(tmp_path: Path) -> None:
    folder = msd(tmp_path, cases=FRAMES)

    def told(options: DataOptions) -> list[str]:
        return [warning for warning in check(open_dataset(folder, options)).warnings if "one patient" in warning]

    (warning,) = told(DataOptions())
    assert warning.startswith(
        "patient001_frame01, patient001_frame09 look like cases of one patient (3 patients in all)"
    )
    assert warning.endswith('--groups "{group}_frame*"')
    assert told(read_options("{group}_frame*")) == []


def test_folds_that_are_named_take_the_place_of_the_data_s(tmp_path: Path) -> None:
    folder = nnunet_nifti(tmp_path / "data")
    containing("splits_final.json", b'[{"train": ["case_1"], "val": ["case_2"]}]')(folder)
    (tmp_path / "mine.json").write_text(json.dumps([{"train": ["case_3", "case_1"], "val": ["case_2"]}]))
    dataset = open_dataset(folder, read_options(splits=tmp_path / "mine.json"))
    assert dataset.split(0) == Split(("case_1", "case_3"), ("case_2",))
    assert dataset.split_source == "splits"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"train": ["case_1"], "val": ["case_9"]}], "splits: fold 0: case case_9 is not in the data set"),
        ([{"train": ["case_1"], "val": ["case_1"]}], "splits: fold 0: case case_1 trains and validates"),
        ({}, "mine.json: .*expected a list of folds"),
    ],
)
def test_folds_of_other_cases_are_refused(content: object, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        open_dataset(nnunet_nifti(tmp_path / "data"), read_options(splits=tmp_path / "mine.json"))
