"""A search whose networks begin with published weights where they fit, says so, and goes on with the same ones."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import nas
from nas.catalog import load_space
from nas.errors import InputError
from nas.graph import Task, trace
from nas.model import load_model
from nas.network import build
from nas.searching import SearchSettings
from nas.searching.afterwards.finishing import FinalSettings, train_finally
from nas.searching.events import Event, Note
from nas.searching.model import trained_model
from nas.searching.opened import OpenedStudy
from nas.searching.pretrained import Pretrained, named, note_places, places_of
from nas.space import one_of
from nas.training import Recipe

SMALL = """
from nas.architecture import EncoderDecoder, Linear, Mirrored, ResNetStem, Stage, Strided, Style, UpStage
from nas.architecture.blocks import Basic
from nas.space import Reference, Space, one_of


def small(units):
    return EncoderDecoder(
        stem=ResNetStem(4),
        encoder=(Stage(Basic(units)), Stage(Basic(1), Strided())),
        decoder=Mirrored((UpStage(Linear()),) * 2, width=4),
        style=Style("batch"),
        width=4,
    )


SPACE = Space(
    "small",
    small(one_of(1, 2)),
    members=tuple(Reference(name, small(units), 0, 2, 1, 2, "here") for name, units in (("deeper", 2), ("flat", 1))),
)
"""
TRAINING: dict[str, Any] = {"steps": 1, "learning_rate": 1e-9, "budget": "1h", "patch": (16, 16), "holdout": 0.0}
"""So little that weights stay as they began."""


def torchvision_name(name: str) -> str:
    """The name in torchvision's ResNets of a tensor of ours."""
    part, _, rest = name.partition(".")
    if part == "stem":
        return f"{'conv1' if rest.startswith('conv') else 'bn1'}.{rest.partition('.')[2]}"
    stage, _, unit, *layer, kind = rest.split(".")
    if layer[0] == "shortcut":
        where = f"downsample.{0 if layer[1] == 'conv' else 1}"
    else:
        what, _, number = layer[0].partition("_")
        where = f"{'conv' if what == 'conv' else 'bn'}{number or 1}"
    return f"layer{int(stage) + 1}.{unit}.{where}.{kind}"


def write_weights(file: Path, space: Path, member: str = "flat", channels: int = 3, seed: int = 7) -> Path:
    """A file of the weights of a network's encoder for colour pictures, as torchvision names them."""
    graph = trace(load_space(space).references[member], Task(2, channels, 2, (16, 16), ((2, 2),) * 2))
    own = build(graph, seed=seed).state_dict()
    state = {torchvision_name(n): t for n, t in own.items() if n.startswith(("stem.", "encoder."))}
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({**state, "fc.weight": torch.zeros(3, 3)}, file)
    return file


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("space") / "small.py"
    file.write_text(SMALL)
    return file


@pytest.fixture(scope="module")
def weights(space: Path) -> Path:
    return write_weights(space.parent / "weights" / "resnet.safetensors", space)


def run(space: Path, storage: Path, **more: Any) -> tuple[OpenedStudy, list[str]]:
    """A search of both networks, and what it said."""
    said: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, Note):
            said.append(event.text)

    settings = {"space": str(space), "data": "pictures", "study": "small", "trials": 2, **TRAINING, **more}
    return nas.search(**settings, storage=str(storage), listener=hear), said


@pytest.fixture(scope="module")
def begun(space: Path, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The storage of a search with weights, and what it said."""
    storage = tmp_path_factory.mktemp("begun") / "nas.db"
    opened, said = run(space, storage, pretrained=str(weights))
    opened.study.storage.close()
    return storage, said


@pytest.fixture
def opened(begun: tuple[Path, list[str]], tmp_path: Path) -> OpenedStudy:
    folder = shutil.copytree(begun[0].parent, tmp_path / "copy")
    return nas.open_study("small", str(folder / "nas.db"))


def grey(weight: Tensor) -> Tensor:
    return weight.sum(1, keepdim=True)


def test_a_network_begins_with_the_weights_that_fit_it_and_says_so(
    begun: tuple[Path, list[str]], opened: OpenedStudy, weights: Path
) -> None:
    lines = [line for line in begun[1] if "begins with" in line]
    assert len(lines) == 1
    assert re.search(r"resnet\.safetensors: \d+% of the network's weights \(torchvision and timm, image", lines[0])
    published = load_file(weights)
    fitting, other = opened.history.trials
    flat = opened.trial(fitting.number).module().state_dict()
    assert torch.allclose(flat["stem.conv.weight"], grey(published["conv1.weight"]), atol=1e-5)
    assert torch.allclose(flat["encoder.1.block.0.conv_2.weight"], published["layer2.0.conv2.weight"], atol=1e-5)
    deeper = opened.trial(other.number).module().state_dict()
    assert not torch.allclose(deeper["encoder.1.block.0.conv_2.weight"], published["layer2.0.conv2.weight"], atol=1e-2)


def test_those_that_fit_enter_first_and_as_published(opened: OpenedStudy) -> None:
    assert [trial.reference for trial in opened.history.trials] == ["flat", None]


def test_a_network_that_weights_do_not_fit_is_trained_as_without_them(opened: OpenedStudy) -> None:
    fitting, other = opened.history.trials
    recipe = Recipe.from_json(opened.study.settings.recipe)
    without = Recipe.from_json(opened.study.settings.recipe | {"pretrained": None})
    assert fitting.recipe_digest == recipe.digest
    assert other.recipe_digest == without.digest
    model = trained_model(opened.trial(other.number))
    assert model.recipe.pretrained is None
    assert "pretrained" not in model.provenance


def test_the_model_and_its_card_name_the_file(opened: OpenedStudy, space: Path, weights: Path, tmp_path: Path) -> None:
    machine = SearchSettings(space=str(space), data="pictures")
    train_finally(opened.study, FinalSettings(reference="flat"), machine, tmp_path / "model", lambda event: None)
    about = load_model(tmp_path / "model").provenance["pretrained"]
    assert about["file"] == "resnet.safetensors"
    assert about["source"] == "torchvision and timm"
    assert 0 < about["share"] < 1
    card = (tmp_path / "model" / "MODEL_CARD.md").read_text()
    assert f"began with resnet.safetensors (SHA-256 {about['sha256']}" in card


def test_a_study_goes_on_with_the_same_weights_wherever_they_lie(
    opened: OpenedStudy, space: Path, weights: Path, tmp_path: Path
) -> None:
    storage = tmp_path / "copy" / "nas.db"
    (tmp_path / "elsewhere").mkdir()
    moved = Path(shutil.copy(weights, tmp_path / "elsewhere" / weights.name))
    run(space, storage, pretrained=str(moved))
    again = nas.open_study("small", str(storage)).study
    assert list(again.settings.plan["pretrained"].values()) == [str(moved)]
    others = write_weights(tmp_path / "others" / weights.name, space, seed=8)
    with pytest.raises(InputError, match=r"recipe\.pretrained: stored .*resnet\.safetensors@"):
        run(space, storage, pretrained=str(others))


def test_another_machine_is_told_where_the_weights_lie(
    opened: OpenedStudy, space: Path, weights: Path, tmp_path: Path
) -> None:
    study, machine = opened.study, SearchSettings(space=str(space), data="pictures")
    wishes, elsewhere = FinalSettings(reference="flat"), tmp_path / "elsewhere" / "renamed.safetensors"
    ((name, first),) = study.settings.plan["pretrained"].items()
    gone = str(tmp_path / "gone.safetensors")
    study.want(study.wanted(), {"pretrained": {name: gone}})  # as on a machine where it is not
    study = nas.open_study("small", str(study.storage.address)).study
    with pytest.raises(InputError, match=r"pretrained: resnet.*, which the study begins with, is not at .*gone\."):
        train_finally(study, wishes, machine, tmp_path / "model", lambda event: None)
    others = write_weights(tmp_path / "others.safetensors", space, seed=8)
    with pytest.raises(InputError, match=r"others\.safetensors is others.* by its content, and study 'small' begins"):
        note_places(study, [str(others)], tmp_path)
    elsewhere.parent.mkdir()
    shutil.copy(first, elsewhere)
    study = note_places(study, [str(elsewhere)], tmp_path)
    assert study.settings.plan["pretrained"] == {name: [str(elsewhere), gone]}
    assert note_places(study, [str(elsewhere)], tmp_path).settings.plan == study.settings.plan
    train_finally(study, wishes, machine, tmp_path / "model", lambda event: None)
    assert load_model(tmp_path / "model").provenance["pretrained"]["sha256"].startswith(name.rpartition("@")[2])


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, r"pretrained: .*weights\.pth: not found"),
        (lambda path: path.write_text("hello"), r"pretrained: .*weights\.pth: cannot be read as weights"),
        (lambda path: path.mkdir(), r"pretrained: .*holds no file of weights"),
        (
            lambda path: save_file({"transformer.wte.weight": torch.zeros(2)}, path),
            r"pretrained: .*fits no published network of space 'small'.*transformer\.wte\.weight",
        ),
        (
            lambda path: save_file({"conv1.weight": torch.zeros(8, 3, 7, 7)}, path),
            r"the nearest is '\w+': conv1\.weight .*\(8, 3, 7, 7\), stem\.conv\.weight has \(4, 1, 7, 7\)",
        ),
    ],
)
def test_weights_that_cannot_be_used_are_refused_before_anything_is_trained(
    write: Any, message: str, space: Path, tmp_path: Path
) -> None:
    write(tmp_path / "weights.pth")
    with pytest.raises(InputError, match=message):
        run(space, tmp_path / "nas.db", pretrained=str(tmp_path / "weights.pth"))


def test_the_one_network_of_a_search_must_fit(space: Path, weights: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nearest is 'deeper': nothing in the state dict.*encoder\.0\.block\.1"):
        run(space, tmp_path / "nas.db", pretrained=str(weights), reference="deeper")


def test_a_folder_has_a_file_for_each_network(space: Path, weights: Path) -> None:
    folder = weights.parent.parent / "both"
    shutil.copytree(weights.parent, folder)
    write_weights(folder / "deeper.safetensors", space, "deeper")
    places = places_of(str(folder))
    recipe = Recipe(pretrained=named(str(folder), places))
    pretrained, files = Pretrained(places), {}
    for name, architecture in load_space(space).references.items():
        network = build(trace(architecture, Task(2, 1, 2, (16, 16), ((2, 2),) * 2)))
        begun = pretrained.begin(network, recipe)
        assert begun is not None
        files[name] = begun.file
    assert files == {"deeper": "deeper.safetensors", "flat": "resnet.safetensors"}


def test_weights_are_a_choice_like_others(space: Path, weights: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(f'[recipe]\npretrained = {{one_of = ["none", "{weights}"]}}\n')
    settings = SearchSettings.of(space=str(space), recipe=str(file))
    (name,) = settings.weights
    assert settings.wishes["pretrained"] == one_of(None, name)
    assert re.fullmatch(r"resnet\.safetensors@[0-9a-f]{16}", name)
    overruled = SearchSettings.of(space=str(space), recipe=str(file), pretrained="none")
    assert overruled.wishes["pretrained"] is None
    assert not overruled.weights


def test_the_same_weights_twice_are_no_choice(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    copy = shutil.copy(weights, tmp_path / "a" / weights.name)
    value = one_of(str(weights), str(copy))
    with pytest.raises(InputError, match="the same weights"):
        named(value, places_of(value))


def test_weights_that_change_meanwhile_are_refused(space: Path, tmp_path: Path) -> None:
    file = write_weights(tmp_path / "weights.safetensors", space)
    places = places_of(str(file))
    recipe, pretrained = Recipe(pretrained=named(str(file), places)), Pretrained(places)
    network = build(trace(load_space(space).references["flat"], Task(2, 1, 2, (16, 16), ((2, 2),) * 2)))
    assert pretrained.fits(recipe, network.graph)
    write_weights(file, space, seed=9)
    for known in (pretrained, Pretrained(places)):
        with pytest.raises(InputError, match="is not what the study was begun with"):
            known.begin(network, recipe)


def test_what_is_in_the_weights_makes_the_recipe_not_their_name() -> None:
    assert Recipe(pretrained="a@12").digest == Recipe(pretrained="b@12").digest != Recipe(pretrained="a@13").digest
    assert Recipe(pretrained="a@12").digest != Recipe().digest


def test_how_long_weights_stand_still_counts_where_there_are_some(space: Path, weights: Path) -> None:
    places = places_of(str(weights))
    (name,) = places
    recipe, graphs = Recipe(pretrained=name, frozen=0.5), load_space(space).references
    flat, deeper = (trace(graphs[one], Task(2, 1, 2, (16, 16), ((2, 2),) * 2)) for one in ("flat", "deeper"))
    assert recipe.digest != Recipe(pretrained=name).digest
    assert Pretrained(places).decided(recipe, flat) == recipe
    assert Pretrained(places).decided(recipe, deeper) == Recipe()
    assert Pretrained(places).decided(Recipe(frozen=0.5), flat) == Recipe()


def test_recipes_without_weights_keep_the_digest_that_they_had() -> None:
    assert Recipe().digest == "9ed86ec9c7f9dc8c280d060008fa0d26"
