"""The split is nnU-Net's."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.data import Split
from nas.data.splits import split, split_groups
from nas.errors import InputError

TEN = tuple(f"case_{number}" for number in range(10))


@pytest.mark.parametrize(
    ("fold", "validation"),
    [
        (0, ("case_0", "case_7")),
        (1, ("case_3", "case_9")),
        (2, ("case_4", "case_6")),
        (3, ("case_1", "case_8")),
        (4, ("case_2", "case_5")),
    ],
)
def test_the_folds_are_those_of_nnunet(fold: int, validation: tuple[str, ...]) -> None:
    assert split(TEN, fold).validation == validation


@given(count=st.integers(2, 60), folds=st.integers(2, 8), seed=st.integers(0, 100))
def test_every_case_validates_in_exactly_one_fold(count: int, folds: int, seed: int) -> None:
    names = [f"case_{number:03d}" for number in range(count)]
    shuffled = random.Random(seed).sample(names, count)
    splits = [split(shuffled, fold, folds) for fold in range(min(folds, count))]
    assert sorted(name for part in splits for name in part.validation) == names
    for part in splits:
        assert sorted(part.training + part.validation) == names
        assert part.training
        assert part.training == tuple(sorted(part.training))


def test_with_fewer_cases_than_folds_every_case_is_a_fold() -> None:
    assert [split("abc", fold).validation for fold in range(3)] == [("a",), ("b",), ("c",)]


@pytest.mark.parametrize(
    ("names", "fold", "folds", "message"),
    [
        ("", 0, 5, "cases: found 0; expected at least 2"),
        ("a", 0, 5, "cases: found 1; expected at least 2"),
        ("aab", 0, 5, "a name occurs twice"),
        ("abcdefgh", 5, 5, "fold: found 5; expected 0 to 4"),
        ("abcdefgh", -1, 5, "fold: found -1; expected 0 to 4"),
        ("abc", 3, 5, "fold: found 3; expected 0 to 2 with 3 cases"),
        ("abc", 0, 1, "folds: found 1; expected at least 2"),
    ],
)
def test_what_cannot_be_split(names: str, fold: int, folds: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        split(names, fold, folds)


@given(groups=st.dictionaries(st.text("abc", min_size=1, max_size=3), st.sampled_from("PQRSTUV"), min_size=6))
def test_a_group_is_never_on_both_sides(groups: dict[str, str]) -> None:
    if len(set(groups.values())) < 2:
        return
    for fold in range(min(len(set(groups.values())), 5)):
        parts = split_groups(groups, fold)
        assert sorted(parts.training + parts.validation) == sorted(groups)
        assert not {groups[name] for name in parts.training} & {groups[name] for name in parts.validation}


def test_cases_that_are_groups_are_split_as_nnunet_splits_them() -> None:
    assert split_groups({name: name for name in TEN}, 3) == split(TEN, 3)


def test_given_folds_are_used_as_they_are() -> None:
    given = [Split(("case_1",), ("case_2",)), Split(("case_2",), ("case_3",))]
    groups = {name: name for name in TEN}
    assert split_groups(groups, 1, given) == given[1]
    with pytest.raises(InputError, match="fold: found 2; expected 0 to 1, as the data bring 2 folds"):
        split_groups(groups, 2, given)


def test_one_patient_cannot_be_split() -> None:
    with pytest.raises(InputError, match="all belong to one patient"):
        split_groups({"a": "P", "b": "P"}, 0)
