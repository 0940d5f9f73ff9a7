"""Work shared by processes or threads: results in order, errors as they were raised, and a death that is explained."""

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


AT_ONCE = pytest.mark.parametrize(("processes", "threads"), [(1, 1), (2, 1), (1, 3)])


@AT_ONCE
def test_results_keep_the_order_of_the_items(processes: int, threads: int) -> None:
    assert list(each(square, range(7), processes, threads)) == [0, 1, 4, 9, 16, 25, 36]


@AT_ONCE
def test_an_error_arrives_as_it_was_raised(processes: int, threads: int) -> None:
    found = each(refuse_two, range(5), processes, threads)
    assert [next(found), next(found)] == [0, 1]
    with pytest.raises(InputError, match="case 2: is damaged"):
        next(found)


def test_a_process_that_was_killed_is_explained() -> None:
    with pytest.raises(InputError, match=r"one of 2 processes was ended.*use fewer of them \(--processes\)"):
        list(each(die, range(4), 2))


def test_no_more_items_are_in_work_than_there_are_threads() -> None:
    """Each holds a case, and memory is bounded."""
    begun: list[int] = []
    results = each(begun.append, range(9), 1, threads=2)
    next(results)
    assert len(begun) <= 2
