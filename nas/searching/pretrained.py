"""The weights that recipes name: where they lie, which networks they fit, and how a network begins with them."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from nas.architecture import EncoderDecoder
from nas.errors import InputError, field_named
from nas.graph import Graph, Task
from nas.network import Network
from nas.network.published import (
    Loaded,
    MisfitError,
    Weights,
    encoder_tensors,
    fetched,
    files_at,
    is_name,
    load_encoder,
    read_weights,
)
from nas.searching.candidates import graph_of
from nas.space import Space, one_of
from nas.space.choices import OneOf
from nas.study.sql.opening import open_study
from nas.study.sql.study import SqlStudy
from nas.training import Recipe
from nas.training.checking import possible_values
from nas.training.documents import NONE
from nas.training.recipe import CONTENT

PRETRAINED = "pretrained"
"""Under which name a study's plan keeps where weights lie, and a file of weights what it began with."""
_DIGITS = 16


@dataclass(frozen=True)
class Begun:
    """What a network began with: the file's name, the SHA-256 of its bytes, and what was loaded of it."""

    file: str
    sha256: str
    loaded: Loaded

    def __str__(self) -> str:
        changes = "".join(f", {change}" for change in self.loaded.changes)
        return f"{self.file}: {self.loaded.share:.0%} of the network's weights ({self.loaded.source}{changes})"

    def to_json(self) -> dict[str, Any]:
        """It as plain JSON."""
        return {"file": self.file, "sha256": self.sha256, **self.loaded.to_json()}


@dataclass(frozen=True)
class Pretrained:
    """Where the weights lie that the recipes of a study name; a folder's are those of its first file that fits.

    Args:
        places: the path of each file or folder by its name in recipes, or its paths on several machines.
    """

    places: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    _shapes: dict[str, tuple[Weights, ...]] = field(default_factory=dict, repr=False, compare=False)
    """What was read of each, without values."""

    def begin(self, network: Network, recipe: Recipe) -> Begun | None:
        """Put the weights that a recipe names into a network's encoder; None where there are none that fit.

        Raises:
            InputError: they are not there any more, or have changed.
        """
        fitting = self._fitting(recipe, network.graph)
        if fitting is None:
            return None
        weights = _weights(fitting.path)
        if weights.sha256 != fitting.sha256:
            raise _changed(fitting.path, str(recipe.pretrained))
        return Begun(weights.path.name, weights.sha256, load_encoder(network, weights.state))

    def fits(self, recipe: Recipe, graph: Graph) -> bool:
        """Whether a network begins with weights by this recipe."""
        return self._fitting(recipe, graph) is not None

    def decided(self, recipe: Recipe, graph: Graph) -> Recipe:
        """The recipe as it trains a network: without weights where they do not fit it."""
        fits = recipe.pretrained is not None and self.fits(recipe, graph)
        return recipe if fits else replace(recipe, pretrained=None, frozen=0.0)

    def misfit(self, name: str, graph: Graph) -> MisfitError | None:
        """Why no file of this name fits a network, of the one that comes nearest; None if one does."""
        nearest: MisfitError | None = None
        for weights in self._read(name):
            problem = _problem(weights, graph)
            if problem is None:
                return None
            if nearest is None or problem.matched > nearest.matched:
                nearest = problem
        return nearest

    def expect_use(self, recipe: Recipe, space: Space[EncoderDecoder], task: Task) -> None:
        """Refuse weights that no published network of a space could begin with.

        Args:
            recipe: it may have open choices.
            space: one without published networks is taken as it is.
            task: what networks are traced for.

        Raises:
            InputError: naming the network that they fit best, and the first difference.
        """
        for name in names_in(recipe):
            nearest = self._nearest(name, space, task)
            if nearest is not None:
                member, problem = nearest
                raise InputError(
                    f"{field_named('pretrained')}: {self._places(name)[0]} fits no published network of space "
                    f"{space.name!r}; the nearest is {member!r}: {problem}"
                )

    def _nearest(self, name: str, space: Space[EncoderDecoder], task: Task) -> tuple[str, MisfitError] | None:
        """The published network that weights fit best, and why they do not; None if they fit one, or there is none."""
        nearest: tuple[str, MisfitError] | None = None
        for member in space.members:
            graph, _ = graph_of(member.architecture, task)
            if graph is None:
                continue
            problem = self.misfit(name, graph)
            if problem is None:
                return None
            if nearest is None or problem.matched > nearest[1].matched:
                nearest = member.name, problem
        return nearest

    def _fitting(self, recipe: Recipe, graph: Graph) -> Weights | None:
        if recipe.pretrained is None:
            return None
        return next((w for w in self._read(recipe.pretrained) if _problem(w, graph) is None), None)

    def _read(self, name: str) -> tuple[Weights, ...]:
        if name not in self._shapes:
            self._shapes[name] = self._at_hand(name)
        return self._shapes[name]

    def _at_hand(self, name: str) -> tuple[Weights, ...]:
        """What is in the first place of this machine that holds these very weights."""
        there = [place for place in map(Path, self._places(name)) if place.exists()]
        for place in there:
            files = tuple(_weights(file).shapes for file in _files(place))
            if _content(_name(place, files)) == _content(name):
                return files
        if there:
            raise _changed(there[0], name)
        where = " or ".join(self._places(name))
        raise InputError(
            f"{field_named('pretrained')}: {name}, which the study begins with, is not at {where}; say where the file "
            f"lies on this machine with {field_named('pretrained')}"
        )

    def _places(self, name: str) -> tuple[str, ...]:
        if name not in self.places:
            raise InputError(f"{field_named('pretrained')}: nothing says where the weights {name} lie; name the file")
        return _several(self.places[name])


def _several(places: str | Sequence[str]) -> tuple[str, ...]:
    """The places of weights, the first one first, as a study keeps them: one alone, or a list."""
    return (places,) if isinstance(places, str) else tuple(places)


def located(value: Any, cache: Path) -> Any:
    """A recipe's field as the user wrote it, with paths: what is named by its library is in the cache, or fetched.

    Raises:
        InputError: it cannot be fetched.
    """

    def of(option: Any) -> Any:
        if not isinstance(option, str) or not is_name(option):
            return option
        with _of_the_field():
            return str(fetched(option, cache))

    return one_of(*[of(option) for option in value.options]) if isinstance(value, OneOf) else of(value)


def places_of(value: Any) -> dict[str, str]:
    """Where the weights lie that a recipe's field names by their paths, by the names that stand for them in a study.

    Raises:
        InputError: a path leads to no weights.
    """
    return {_name(Path(path), _quickly(Path(path))): os.path.abspath(path) for path in _paths(value)}


def named(value: Any, places: Mapping[str, str]) -> Any:
    """A recipe's field with names in the place of paths: what is in the weights counts, not where they lie.

    Raises:
        InputError: two options are the same weights.
    """
    names = {path: name for name, path in places.items()}

    def of(option: Any) -> Any:
        return None if option in (None, NONE) else names[os.path.abspath(option)]

    if not isinstance(value, OneOf):
        return of(value)
    try:
        return one_of(*[of(option) for option in value.options])
    except (TypeError, KeyError):
        raise InputError(
            f"{field_named('pretrained')}: two of its options are the same weights; leave one out"
        ) from None


def note_places(study: SqlStudy, paths: Sequence[str], cache: Path) -> SqlStudy:
    """Note in a study where else its weights lie, as on this machine: all that work on it look there too.

    Args:
        study: which one.
        paths: files or folders, or names of a library's weights.
        cache: where those that a library names are kept.

    Returns:
        The study as it is now.

    Raises:
        InputError: what lies there is not what the study was begun with.
    """
    known: dict[str, str | Sequence[str]] = dict(study.settings.plan.get(PRETRAINED) or {})
    for path in paths:
        ((name, place),) = places_of(located(path, cache)).items()
        ours = next((one for one in known if _content(one) == _content(name)), None)
        if ours is None:
            raise InputError(
                f"{field_named('pretrained')}: {place} is {name} by its content, and study {study.name!r} begins with "
                f"{', '.join(known) or 'no weights'}; give that file"
            )
        others = [other for other in _several(known[ours]) if other != place]
        known[ours] = [place, *others] if others else place
    study.want(study.wanted(), {PRETRAINED: known})
    return open_study(study.storage, study.name)


def names_in(recipe: Recipe) -> tuple[str, ...]:
    """The names of all weights that a recipe may be decided to have."""
    return tuple(name for name in possible_values(recipe.pretrained) if name is not None)


def _paths(value: Any) -> Iterator[str]:
    return (option for option in possible_values(value) if option not in (None, NONE))


def _quickly(place: Path) -> tuple[Weights, ...]:
    return tuple(replace(_weights(file), state={}) for file in _files(place))


def _files(place: Path) -> tuple[Path, ...]:
    with _of_the_field():
        return files_at(place)


def _weights(file: Path) -> Weights:
    with _of_the_field():
        return read_weights(file)


@contextmanager
def _of_the_field() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise InputError(f"{field_named('pretrained')}: {error}") from None


def _name(place: Path, files: tuple[Weights, ...]) -> str:
    """The name of a file or folder, and a hash of what is in it."""
    hashes = [weights.sha256 for weights in files]
    content = hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
    return f"{place.resolve().name}{CONTENT}{content[:_DIGITS]}"


def _content(name: str) -> str:
    """What is in weights, by their name."""
    return name.rpartition(CONTENT)[2]


def _problem(weights: Weights, graph: Graph) -> MisfitError | None:
    try:
        encoder_tensors(graph, weights.state)
    except MisfitError as problem:
        return problem
    except InputError as error:
        return MisfitError(str(error))
    return None


def _changed(place: Path, name: str) -> InputError:
    return InputError(
        f"{field_named('pretrained')}: {place} is not what the study was begun with ({_content(name)} by "
        "its content); put that back, or begin a new study"
    )
