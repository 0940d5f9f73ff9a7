"""Recipes: decided or open, written and read, and refused where a value does not fit."""

import random
from pathlib import Path

import pytest

from nas.errors import InputError
from nas.space import Space, integer, one_of, real
from nas.training import Augmentation, Recipe, load_recipe, recipe_names
from nas.training.losses.dice_boundary import DiceBoundary
from nas.training.losses.dice_cross_entropy import DiceCrossEntropy
from nas.training.losses.dice_focal import DiceFocal
from nas.training.losses.generalised_dice import GeneralisedDice
from nas.training.losses.tversky import Tversky
from nas.training.optimisers import SGD, AdamW
from nas.training.schedules import Cosine, OneCycle, Poly, rate_share

OPEN = Space(
    name="everything open",
    template=Recipe(
        steps=integer(10, 1000, log=True),
        batch=one_of(2, 4, 8),
        loss=one_of(
            DiceCrossEntropy(), DiceFocal(gamma=real(1, 3)), Tversky(real(0.2, 0.8)), GeneralisedDice(), DiceBoundary()
        ),
        optimiser=one_of(SGD(momentum=real(0.8, 0.99)), AdamW()),
        schedule=one_of(Poly(), Cosine(), OneCycle()),
        learning_rate=real(1e-4, 1e-1, log=True),
        averaging=one_of(0.0, 0.99),
        augmentation=Augmentation(strength=real(0, 1.5), flips=one_of(False, True)),
    ),
)


@pytest.mark.parametrize("seed", range(20))
def test_an_open_recipe_is_decided_read_and_written(seed: int) -> None:
    recipe = OPEN.decide(random.Random(seed))
    assert OPEN.decide(OPEN.read(recipe)) == recipe
    assert OPEN.load(recipe.to_json()) == recipe
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert recipe.digest == Recipe.from_json(recipe.to_json()).digest


def test_documents_leave_choices_open_as_python_does() -> None:
    document = {
        "loss": {"one_of": ["dice_cross_entropy", {"kind": "tversky", "alpha": {"low": 0.2, "high": 0.8}}]},
        "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
        "batch": {"low": 2, "high": 8},
        "optimiser": {"kind": "adam_w", "beta1": {"one_of": [0.8, 0.9]}},
    }
    assert Recipe.from_json(document) == Recipe(
        loss=one_of(DiceCrossEntropy(), Tversky(alpha=real(0.2, 0.8))),
        learning_rate=real(1e-4, 1e-1, log=True),
        batch=integer(2, 8),
        optimiser=AdamW(beta1=one_of(0.8, 0.9)),
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"los": "tversky"}, "'los' is unknown; did you mean 'loss'"),
        ({"loss": "tversk"}, "recipe loss: kind 'tversk' is unknown; did you mean 'tversky'"),
        ({"loss": {"alpha": 0.3}}, "recipe loss: kind None"),
        ({"loss": 3}, "recipe loss: found 3"),
        ({"loss": {"kind": "tversky", "alpha": 3}}, "tversky alpha: found 3, expected a number above 0 and up to 1"),
        ({"loss": {"kind": "tversky", "beta": 3}}, "recipe loss: field 'beta' is unknown"),
        ({"loss": {"one_of": ["tversky", "tversky"]}}, "recipe loss: .*two options with the same name"),
        ({"loss": {"one_of": []}}, "recipe loss: .*expected one_of with a list"),
        ({"loss": {"one_of": ["tversky"], "low": 1}}, "recipe loss: .*expected one_of with a list"),
        ({"batch": 1}, "recipe batch: found 1, expected a whole number of at least 2"),
        ({"batch": 2.5}, "recipe batch: found 2.5, expected a whole number"),
        ({"batch": {"low": 1, "high": 4}}, "recipe batch: found 1"),
        ({"batch": {"one_of": [2, 4, "many"]}}, "recipe batch: found 'many'"),
        ({"steps": {"low": 1}}, "recipe steps: .*expected whole numbers low and high"),
        ({"steps": {"low": 9, "high": 3}}, "recipe steps: the range 9..3 is empty"),
        ({"learning_rate": {"low": 0.0, "high": 1.0, "log": True}}, "recipe learning_rate: a logarithmic range"),
        ({"learning_rate": float("nan")}, "recipe learning_rate: found nan"),
        ({"learning_rate": "fast"}, "recipe learning_rate: found 'fast', expected a number"),
        ({"averaging": True}, "recipe averaging: found True, expected a number"),
        ({"mirrored": 1}, "recipe mirrored: found 1, expected true or false"),
        ({"augmentation": {"flips": "zx"}}, "augmentation flips: found 'zx', expected true or false or one of 'x'"),
        ({"foreground": 1.5}, "recipe foreground: found 1.5, expected a number from 0 to 1"),
        ({"augmentation": {"noise": 2}}, "augmentation noise: found 2, expected a number from 0 to 1"),
        ({"augmentation": {"noize": 0.1}}, "recipe augmentation: field 'noize' is unknown; did you mean 'noise'"),
        ({"optimiser": {"kind": "sgd", "momentum": 1}}, "momentum: found 1"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_refused_with_its_field(document: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Recipe.from_json(document)


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_are_whole(name: str) -> None:
    found = load_recipe(name)
    assert found.description
    assert found.reaches or not found.data
    assert found.takes or not found.data
    space = found.training_space
    decided = space.decide(random.Random(0))
    assert space.decide(space.read(decided)) == decided


def test_shipped_recipes_are_the_promised_ones() -> None:
    assert {"brain", "hippocampus", "hippocampus_long", "nuclei"} <= set(recipe_names())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trails = 3", "field 'trails' is unknown; did you mean 'trials'"),
        ("trials = 'many'", "trials: found 'many', expected a whole number"),
        ("patch = [32, 0]", "patch: found .*expected a list of whole numbers above 0"),
        ("[recipe]\nbatsh = 3", "recipe: field 'batsh' is unknown; did you mean 'batch'"),
        ("recipe = 3", "recipe: found 3"),
        ("[recipe", "expected a TOML file"),
    ],
)
def test_a_recipe_file_is_refused_with_its_name_and_field(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=rf"mine\.toml: .*{message}"):
        load_recipe(file)


@pytest.mark.parametrize(("name", "message"), [("brian", "did you mean 'brain'"), ("./no.toml", "not found")])
def test_an_unknown_recipe_is_refused(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_recipe(name)


@pytest.mark.parametrize("schedule", [Cosine(), Poly(), OneCycle(), OneCycle(start=0.5)], ids=repr)
def test_schedules_rise_to_the_peak_and_fall_to_zero(schedule: Cosine) -> None:
    shares = [rate_share(schedule, step / 200, 0.1) for step in range(201)]
    assert shares[:20] == sorted(shares[:20])
    assert max(shares) <= 1
    assert 0 <= shares[-1] < 0.02
    assert rate_share(schedule, 1.0, 1.0) >= 0
