"""Which cases are put aside before a search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.data import Holdout, choose_holdout
from nas.errors import InputError


def single(count: int) -> dict[str, str]:
    return {f"case_{number:03d}": f"case_{number:03d}" for number in range(count)}


def patients(count: int, visits: int) -> dict[str, str]:
    return {f"p{patient:02d}_{visit}": f"p{patient:02d}" for patient in range(count) for visit in range(visits)}


@pytest.mark.parametrize(
    ("groups", "share", "expected"),
    [
        (single(200), None, 40),
        (single(50), None, 10),
        (single(49), None, 0),
        (single(200), 0.0, 0),
        (single(20), 0.1, 2),
        (single(10), 0.01, 1),
        (patients(40, 2), None, 16),
        (patients(9, 10), None, 0),
        (patients(3, 2), 0.2, 2),
        ({}, None, 0),
    ],
    ids=[
        "fifth",
        "fewest",
        "too few",
        "refused",
        "told",
        "one at least",
        "groups",
        "few groups",
        "two left",
        "none",
    ],
)
def test_how_many_cases_are_put_aside(groups: dict[str, str], share: float | None, expected: int) -> None:
    assert len(choose_holdout(groups, share).cases) == expected


@given(st.permutations(sorted(single(60))))
def test_the_choice_depends_on_names_alone(names: list[str]) -> None:
    assert choose_holdout({name: name for name in names}) == choose_holdout(single(60))


@given(st.integers(3, 30), st.integers(1, 5), st.floats(0.05, 0.5))
def test_groups_stay_together_and_two_are_left(count: int, visits: int, share: float) -> None:
    groups = patients(count, visits)
    held = set(choose_holdout(groups, share).cases)
    inside, outside = {groups[name] for name in held}, {groups[name] for name in groups.keys() - held}
    assert inside
    assert len(outside) >= 2
    assert not inside & outside


def test_more_cases_hardly_change_who_is_put_aside() -> None:
    before, after = set(choose_holdout(single(200)).cases), set(choose_holdout(single(201)).cases)
    assert len(before - after) <= 1


def test_two_groups_are_too_few() -> None:
    with pytest.raises(InputError, match="2 groups; expected at least 3"):
        choose_holdout(patients(2, 30), 0.2)


def test_a_study_of_an_earlier_nas_put_nothing_aside() -> None:
    assert Holdout.from_json(None) == Holdout()
    assert Holdout.from_json(Holdout(0.2, ("a", "b")).to_json()) == Holdout(0.2, ("a", "b"))
