"""nas trials, nas studies and nas serve-storage at the command line."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from typer.testing import CliRunner, Result

from nas.cli.app import app
from nas.errors import InputError
from nas.study.sql.opening import create_or_resume
from nas.study.sql.storage import open_storage
from tests.study.conftest import SETTINGS
from tests.study.runs import complete, image, refused


@pytest.fixture
def storage(tmp_path: Path) -> str:
    path = tmp_path / "nas.db"
    with open_storage(path) as opened:
        study = create_or_resume(opened, SETTINGS)
        for number, dice in enumerate([0.5, 0.9, 0.7]):
            complete(study, f"net {number}", dice, reference="U-Net" if number == 0 else None)
        refused(study, None, "too large")
        image(study)
    return str(path)


def run(*arguments: str, storage: str, **options: object) -> Result:
    return CliRunner().invoke(app, [*arguments, "--storage", storage], **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "trials"),
    [
        ((), [0, 1, 2, 3]),
        (("--state", "infeasible"), [3]),
        (("--state", "complete", "--state", "infeasible"), [0, 1, 2, 3]),
        (("--reference",), [0]),
        (("--sort", "-dice"), [1, 2, 0, 3]),
        (("--sort", "dice", "--limit", "2"), [0, 2]),
    ],
)
def test_trials_are_filtered_and_sorted(storage: str, options: tuple[str, ...], trials: list[int]) -> None:
    as_json = run("trials", "hippocampus", "--format", "json", *options, storage=storage)
    assert [row["trial"] for row in json.loads(as_json.output)["trials"]] == trials
    as_csv = run("trials", "hippocampus", "--format", "csv", *options, storage=storage)
    assert [int(row["trial"]) for row in csv.DictReader(io.StringIO(as_csv.output))] == trials
    assert run("trials", "hippocampus", *options, storage=storage).exit_code == 0


@pytest.mark.parametrize(("option", "value"), [("--state", "done"), ("--sort", "colour")])
def test_unknown_words_are_refused(storage: str, option: str, value: str) -> None:
    with pytest.raises(InputError, match=f"{option}: found '{value}', expected one of"):
        CliRunner().invoke(app, ["trials", SETTINGS.name, "--storage", storage, option, value], catch_exceptions=False)


STUDY_LEFT_OUT = [("trials",), ("trials", "--format", "json"), ("best", "--json"), ("studies", "check")]


@pytest.mark.parametrize("command", [*STUDY_LEFT_OUT, ("export",)], ids=" ".join)
def test_without_a_name_the_only_study_is_meant(storage: str, command: tuple[str, ...]) -> None:
    if command != ("export",):  # there are no weights here
        assert run(*command, storage=storage).output == run(*command, "hippocampus", storage=storage).output != ""
    with open_storage(storage) as opened:
        create_or_resume(opened, replace(SETTINGS, name="liver"))
    with pytest.raises(InputError, match=r"STUDY: .* holds 2 studies; name one of: hippocampus, liver"):
        run(*command, storage=storage, catch_exceptions=False)
    with open_storage(f"{storage}.new"):
        pass
    with pytest.raises(InputError, match="holds no study; run nas search first"):
        run(*command, storage=f"{storage}.new", catch_exceptions=False)


def test_studies_from_making_to_deleting(storage: str) -> None:
    assert "hippocampus" in run("studies", "list", storage=storage).output
    assert run("studies", "check", "hippocampus", storage=storage).output == "all is well\n"
    assert "4 trials" in run("studies", "copy", "hippocampus", "twin", storage=storage).output
    assert run("studies", "rename", "twin", "other", storage=storage).output == "twin is now other\n"
    assert run("studies", "prune-artifacts", "other", storage=storage).output == "0 files deleted\n"
    assert run("studies", "delete", "other", storage=storage, input="n\n").exit_code == 1
    assert run("studies", "delete", "other", "--yes", storage=storage).output == "other is deleted\n"
    with open_storage(storage) as opened:
        assert optuna.get_all_study_names(opened.optuna) == ["hippocampus"]
