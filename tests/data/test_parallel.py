"""Work shared by processes: results in order, errors as they were raised, and a death that is explained."""

import os
import signal

import pytest

from nas.data.parallel import each
from nas.errors import InputError


def square(number: int) -> int:
    return number * number


def refuse_two(number: int) -> int:
    if number == 2:
        raise InputError("case 2: is damaged")
    return number


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("processes", [1, 2])
def test_results_keep_the_order_of_the_items(processes: int) -> None:
    assert list(each(square, range(7), processes)) == [0, 1, 4, 9, 16, 25, 36]


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_arrives_as_it_was_raised(processes: int) -> None:
    found = each(refuse_two, range(5), processes)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(InputError, match="case 2: is damaged"):
        next(found)


def test_a_process_that_was_killed_is_explained() -> None:
    with pytest.raises(InputError, match=r"one of 2 processes was ended.*use fewer of them \(--processes\)"):
        list(each(die, range(4), 2))
