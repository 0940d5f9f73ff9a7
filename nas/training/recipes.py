"""Study recipes: TOML files that say how a study is run end to end. Nothing in them is executed."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from nas.catalog import is_file, shipped_folder, unknown
from nas.errors import InputError, did_you_mean
from nas.space import Space
from nas.training.documents import read_part
from nas.training.recipe import Recipe


@dataclass(frozen=True)
class StudyRecipe:
    """A training recipe, its choices open or not, with what else a study needs.

    Args:
        name: the file's, without its ending.
        recipe: how networks are trained; a template where choices are open.
        description: one sentence.
        space: the search space of the networks.
        reference: a member of the space that is trained as it is, so that only the recipe is searched.
        slim: how many steps narrower the reference is made (`nas.architecture.slim`).
        data: the data set it is made for, in words; empty for the built-in one.
        patch: voxels per axis; planned from the data if empty.
        budget: time for all trials, such as "2h".
        trials: how many networks to train.
        reaches: what it should reach, in words.
        takes: how long that takes and on what, in words.
        given: the fields of the recipe that the file sets; the others may be fitted to the data and the machine.
    """

    name: str
    recipe: Recipe
    description: str = ""
    space: str | None = None
    reference: str | None = None
    slim: int = 0
    data: str = ""
    patch: tuple[int, ...] = ()
    budget: str | None = None
    trials: int | None = None
    reaches: str = ""
    takes: str = ""
    given: tuple[str, ...] = ()

    @property
    def training_space(self) -> Space[Recipe]:
        """The recipe as a space: every choice it leaves open, none if it is decided."""
        return Space(self.name, self.recipe, description=self.description)


def recipe_names() -> tuple[str, ...]:
    """The names of the shipped recipes."""
    return tuple(sorted(file.stem for file in shipped_folder("studies").glob("*.toml")))


def load_recipe(name: str | Path) -> StudyRecipe:
    """The recipe of a name, or of a TOML file.

    Raises:
        InputError: no recipe of that name (with the nearest one), a file that is absent or no TOML, an unknown field,
            or a value that does not fit.
    """
    text = str(name)
    if is_file(text, ".toml"):
        return _from_file(Path(name))
    if text not in recipe_names():
        raise unknown("recipe", text, recipe_names(), ".toml")
    return _from_file(shipped_folder("studies") / f"{text}.toml")


def _from_file(file: Path) -> StudyRecipe:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"recipe file {file}: not found; give the path of a TOML file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"recipe file {file}: {error}; expected a TOML file, so mend it") from None
    try:
        return _study_recipe(file.stem, document)
    except InputError as error:
        raise InputError(f"recipe file {file}: {error}") from None


def _study_recipe(name: str, document: Mapping[str, Any]) -> StudyRecipe:
    known = {field.name: field for field in fields(StudyRecipe) if field.name not in ("name", "given")}
    for given, value in document.items():
        if given not in known:
            raise InputError(f"field {given!r} is unknown; {did_you_mean(given, known)}")
        wanted = _KINDS.get(given, str)
        numbers = isinstance(value, list) and all(type(item) is int and item > 0 for item in value)
        fits = numbers if wanted is list else type(value) is wanted and not (isinstance(value, int) and value < 0)
        if given != "recipe" and not fits:
            raise InputError(f"{given}: found {value!r}, expected {_EXPECTED[wanted]}")
    values: dict[str, Any] = {**document, "patch": tuple(document.get("patch", ()))}
    values |= {"recipe": read_part(Recipe, document.get("recipe", {}), "recipe")}
    return StudyRecipe(**{**values, "name": name, "given": tuple(document.get("recipe", {}))})


_KINDS: Mapping[str, type] = {"slim": int, "trials": int, "patch": list}
_EXPECTED = {str: "a string", int: "a whole number", list: "a list of whole numbers above 0"}
