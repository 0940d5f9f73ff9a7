"""Making, resuming, opening and listing studies."""

from collections.abc import Callable
from typing import Any

import pytest

from nas.errors import InputError
from nas.study.settings import StudySettings
from nas.study.sql.opening import create_or_resume, find_study, list_studies, open_study
from nas.study.sql.storage import Storage, open_storage
from nas.study.sql.study import SqlStudy

Settings = Callable[..., StudySettings]


def test_a_study_is_resumed_with_the_same_settings(address: str, storage: Storage, study: SqlStudy) -> None:
    again = create_or_resume(storage, study.settings)
    assert (again.id, again.created) == (study.id, study.created)

    with open_storage(address) as reopened:
        stored = open_study(reopened, "hippocampus")
    assert (stored.id, stored.created, stored.settings) == (study.id, study.created, study.settings)


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"plan": {"batch": 4}}, {"versions": {}}, {"device": "cuda:0"}, {"space": "./a/copy/of/tiny.py"}],
    ids=str,
)
def test_a_study_goes_on_where_only_the_machine_differs(
    storage: Storage, study: SqlStudy, settings: Settings, changes: dict[str, Any]
) -> None:
    assert create_or_resume(storage, settings(**changes)).id == study.id


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        (
            {"space": "unet", "space_digest": "c" * 64},
            "space: stored tiny (digest aaaaaaaaaaaa), given unet (digest cccccccccccc)",
        ),
        ({"data_digest": "d" * 64}, "data: stored Task04_Hippocampus (digest bbbbbbbbbbbb), given Task04_Hippocampus"),
        (
            {"objectives": [{"metric": "hd95", "direction": "minimize", "limit": None}]},
            'objective: stored "mean foreground Dice on whole validation cases, fold 0", given "hd95 (minimize) on',
        ),
        ({"fold": 1}, 'cases, fold 0", given "mean foreground Dice on whole validation cases, fold 1"'),
        ({"recipe": {"loss": "dice_ce", "optimiser": {"name": "sgd", "rate": 0.1}}}, "rate: stored 0.01, given 0.1"),
        ({"recipe": {"loss": "dice_ce"}}, 'recipe.optimiser.name: stored "sgd", given nothing'),
        ({"task": {"axes": 3, "patch": (32, 32, 32), "classes": 3}}, "task.classes: stored nothing, given 3"),
        ({"task": {"axes": 3, "patch": (32, 32, 16)}}, "task.patch: stored [32, 32, 32], given [32, 32, 16]"),
        ({"recipe": {str(number): number for number in range(30)}}, "and 23 more"),
    ],
)
def test_a_study_of_other_settings_is_not_resumed(
    storage: Storage, study: SqlStudy, settings: Settings, changes: dict[str, Any], difference: str
) -> None:
    with pytest.raises(InputError) as refused:
        create_or_resume(storage, settings(**changes))
    assert difference in str(refused.value)
    assert "another name as study" in str(refused.value)
    assert "another name as --study" in refused.value.for_the_command_line
    assert [found.id for found in list_studies(storage)] == [study.id]


@pytest.mark.parametrize("name", ["hippocampus", "Task04 fold-0", "a.b_c-1", "1", "Größe"])
def test_names_that_are_taken(storage: Storage, settings: Settings, name: str) -> None:
    assert create_or_resume(storage, settings(name=name)).name == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a", "a/b", "a\\b", " a", "a ", "a.", "-a", "a\nb", "a:b", "a" * 101]
)
def test_names_that_are_refused(storage: Storage, settings: Settings, name: str) -> None:
    with pytest.raises(InputError, match="study name"):
        create_or_resume(storage, settings(name=name))
    assert list_studies(storage) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [("hipocampus", "did you mean 'hippocampus'?"), ("liver", "expected one of hippocampus, nuclei")],
)
def test_an_unknown_study(storage: Storage, study: SqlStudy, settings: Settings, name: str, message: str) -> None:
    create_or_resume(storage, settings(name="nuclei"))
    with pytest.raises(InputError, match=f"no study '{name}'") as unknown:
        open_study(storage, name)
    assert message in str(unknown.value)


def test_a_study_is_looked_for(storage: Storage, study: SqlStudy) -> None:
    found = find_study(storage, "hippocampus")
    assert found is not None
    assert found.id == study.id
    assert find_study(storage, "hipocampus") is None


def test_a_storage_without_studies(storage: Storage) -> None:
    assert list_studies(storage) == []
    with pytest.raises(InputError, match="; there is none"):
        open_study(storage, "hippocampus")
