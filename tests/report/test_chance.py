"""Random search beside a search: whose networks it is taken from, how far it goes, what is not compared."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from statistics import mean

import pytest

from nas.errors import InputError
from nas.report import figures, gather
from nas.report.chance import chance
from nas.report.figures import Missing
from nas.report.figures.chance import Beside
from nas.study.history import Origin, State, Trial
from tests.report.factories import Stored, changed, stored
from tests.report.test_figures import RUNGS

OLDER = 12


def searched(count: int = 20, strategy: str = "tree_parzen", **settings: object) -> Stored:
    """Three published networks, then proposals; of those from the thirteenth trial on every second has a parent."""
    study = stored(count, **{"plan": {"strategy": strategy}} | settings)

    def bred(trial: Trial) -> Trial:
        return replace(trial, parent=0) if trial.number >= OLDER and trial.number % 2 else trial

    return changed(study, bred)


@pytest.mark.parametrize(
    ("strategy", "numbers"),
    [
        ("tree_parzen", [3, 4, 5, 6, 7, 8, 9]),  # it knows of ten trials then, the published ones among them
        ("", [3, 4, 5, 6, 7, 8, 9]),
        ("evolution", [*range(3, 12), 12, 14, 16, 18]),
        ("random", [*range(3, 12), 12, 14, 16, 18]),
    ],
)
def test_networks_that_nothing_was_learnt_for_are_random(strategy: str, numbers: list[int]) -> None:
    study = searched(strategy=strategy)
    assert [first.trial.number for first in chance(study.settings, study.history()).networks] == numbers


def test_published_networks_of_a_user_s_own_are_not_random() -> None:
    study = changed(searched(strategy="random"), lambda trial: replace(trial, origin=Origin.USER))
    assert chance(study.settings, study.history()).networks == ()


def beside(study: Stored, random: Stored | None = None) -> Beside:
    shown = figures.figure_of("chance").values(gather(study, random=random))
    assert isinstance(shown, Beside), shown
    return shown


def test_random_search_is_the_mean_over_all_orders_at_the_mean_cost() -> None:
    study = searched()
    drawn = chance(study.settings, study.history()).networks
    reached = [first.value for first in drawn if first.value is not None]
    shown = beside(study)
    for moment in shown.random:
        count = round(moment.number)
        assert moment.best == pytest.approx(mean(max(order[:count]) for order in permutations(reached)))
        assert moment.seconds == pytest.approx(count * mean(first.seconds for first in drawn))
    assert shown.search[-1].number == 20
    assert shown.search[-1].best == max(trial.values["dice"] for trial in study.trials)


def test_a_search_that_goes_on_has_a_level_line_beside_it_that_promises_no_more() -> None:
    figure = figures.figure_of("chance")
    shown = beside(searched())
    assert [trace.name for trace in figure.draw(shown).data][1:] == ["random search, on average", "at least so good"]
    assert "the least that it would have had, for 7 networks do not say" in figure.words(shown)
    alone = beside(searched(strategy="random"), searched(40, "random"))
    assert [trace.name for trace in figure.draw(alone).data][1:] == ["random search, on average (hippocampus)"]


def test_with_rungs_all_are_compared_where_all_of_them_were() -> None:
    study = stored(40, RUNGS, plan={"strategy": "random"})
    shown = beside(study)
    assert shown.share == RUNGS[0]
    assert len(shown.search) == 40
    assert shown.search[-1].best == max(trial.line[0].values["dice"] for trial in study.trials)
    assert "how the best were trained on is not part of it" in figures.figure_of("chance").words(shown)


def test_what_came_to_nothing_took_its_time() -> None:
    study = searched(strategy="random")

    def lost(trial: Trial) -> Trial:
        run = replace(trial.runs[0], state=State.DIVERGED, values={}, seconds=1000.0)
        return replace(trial, runs=(run,)) if trial.number == 3 else trial

    shown, before = beside(changed(study, lost)), beside(study)
    assert (shown.drawn, before.drawn) == (12, 13)
    assert len(shown.random) == len(before.random)
    assert shown.each > before.each + 50


@pytest.mark.parametrize("count", [3, 4, 5])
def test_too_few_random_networks_say_nothing(count: int) -> None:
    shown = figures.figure_of("chance").values(stored(count).material)
    assert isinstance(shown, Missing)
    assert "nas report --random STUDY" in shown.reason


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: searched(), "was searched with tree_parzen; expected one of random"),
        (lambda: searched(strategy="random", data_digest="other"), "has another data digest than 'hippocampus'"),
        (lambda: searched(strategy="random", space_digest="other"), "has another space digest"),
        (lambda: searched(strategy="random", fold=1), "has another fold"),
        (lambda: stored(6, RUNGS, plan={"strategy": "random"}), "has another rungs"),
    ],
)
def test_a_study_that_does_not_compare_is_refused(other: Callable[[], Stored], words: str) -> None:
    with pytest.raises(InputError, match=words):
        gather(searched(), random=other())
