"""Making a table: its members, their order, and going on where it was stopped."""

from dataclasses import replace
from pathlib import Path

import pytest

from nas.catalog import load_space
from nas.errors import InputError
from nas.graph import Task
from nas.searching.candidates import Candidates, candidates_of
from nas.searching.tables import making
from nas.searching.tables.making import Member, Order, all_members, make_table, open_workshop
from nas.searching.tables.training import trained_row
from nas.training import load_recipe

TASKS = {
    "small_volumes": Task(3, 1, 3, (16, 24, 16), ((2, 2, 2), (2, 2, 2))),
    "small_images": Task(2, 1, 2, (64, 64), ((2, 2),) * 4),
}
SPACE = """
from dataclasses import replace
from nas.catalog import load_space
from nas.space import Space, one_of

TINY = load_space("tiny").references["Tiny U-Net"]
SPACE = Space("two", replace(TINY, width=one_of(4, 8), maximum_width=one_of(256, 512)))
"""
RECIPE = """
space = "{space}"
patch = [32, 32]
[recipe]
steps = 10
batch = 2
epochs = 10
learning_rate = {{one_of = [1e-2, 3e-3]}}
"""


def candidates(name: str) -> Candidates:
    return candidates_of(load_space(name), load_recipe(name).recipe)


FIRST = {
    "small_volumes": {
        "family": "pre_activation",
        "encoder.length": 2,
        "decoder": "pyramid",
        "style.norm": "instance",
        "width": 4,
        "recipe.learning_rate": 0.01,
    },
    "small_images": {
        "family": "pre_activation",
        "encoder.length": 3,
        "decoder": "mirrored",
        "skip": "concatenate",
        "width": 8,
        "style.norm": "instance",
        "recipe.learning_rate": 0.01,
    },
}
"""Of each table; another order would part what was trained from what is to come."""


@pytest.mark.parametrize("name", TASKS)
def test_the_benchmark_spaces_have_at_least_600_trainings_in_an_order_that_means_nothing(name: str) -> None:
    members = all_members(candidates(name), TASKS[name])
    assert len(members) >= 600
    assert [member.number for member in members] == list(range(len(members)))
    assert members[0].decisions == FIRST[name]
    assert {member.reference for member in members} - {None} == set(load_space(name).references)
    part = members[:150]
    for path in ("family", "width", "style.norm", "recipe.learning_rate", "decoder"):
        assert {member.decisions[path] for member in part} == {member.decisions[path] for member in members}


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Order:
    folder = tmp_path_factory.mktemp("order")
    (folder / "two.py").write_text(SPACE)
    (folder / "mine.toml").write_text(RECIPE.format(space=folder / "two.py"))
    return Order(str(folder / "mine.toml"), None, 2.0, str(folder / "cache"))


def test_two_that_compute_the_same_are_one_member(order: Order) -> None:
    shop = open_workshop(order)
    assert shop.candidates.architectures.size() == 4
    assert len(all_members(shop.candidates, shop.task)) == 2 * 2


def test_a_row_holds_curve_looks_and_scores(order: Order) -> None:
    shop = replace(open_workshop(order), looked_at=2)
    member = all_members(shop.candidates, shop.task)[0]
    row = trained_row(shop, member.number, member.decisions, member.reference, 0)
    assert (len(row.training_dice), len(row.losses)) == (10, 10)
    assert [len(look) for look in row.looks] == [2] * (len(shop.rungs) - 1)
    assert len(row.scores) == len(shop.cases.validation)
    assert 0 <= row.dice <= 1
    assert min(row.seconds, row.look_seconds, row.score_seconds) > 0


def test_a_table_is_gone_on_with_and_another_is_refused(
    order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def train(_: Order, member: Member, seed: int) -> object:
        asked.append((member.number, seed))
        raise KeyboardInterrupt

    file = tmp_path / "mine.jsonl"
    monkeypatch.setattr(making, "ProcessPoolExecutor", _InThisProcess)
    assert make_table(order, file, most=3).in_words.endswith("2 of 4 members, 1 with two seeds")
    file.write_text(file.read_text()[:-9])
    monkeypatch.setattr(making, "_train", train)
    with pytest.raises(KeyboardInterrupt):
        make_table(order, file)
    assert asked == [(1, 0)]
    with pytest.raises(InputError, match="is another table"):
        make_table(replace(order, coarser=1.0), file)


class _InThisProcess:
    """A pool that trains where it is asked."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> "_InThisProcess":
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, function, *arguments):  # type: ignore[no-untyped-def]
        from concurrent.futures import Future

        future: Future[object] = Future()
        future.set_result(function(*arguments))
        return future

    def shutdown(self, **_: object) -> None: ...


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("space = 'tiny'", "says no patch"),
        ("patch = [32, 32]", "says no space"),
        ("space = 'tiny'\npatch = [32, 32]", "epochs: found 5, expected 10"),
    ],
)
def test_a_recipe_of_which_no_table_can_be_made_is_refused(change: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(change)
    with pytest.raises(InputError, match=message):
        open_workshop(Order(str(tmp_path / "mine.toml"), None))
