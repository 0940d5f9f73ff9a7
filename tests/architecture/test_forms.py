"""A published network becomes narrower, then shallower, and is called so; each form is a member of its space."""

import pytest

from nas.architecture.forms import forms, largest
from nas.catalog import load_space
from nas.graph import Task, trace

SPACE = load_space("unet_family")
TASK = Task(2, 1, 3, (64, 64), ((2, 2),) * 4)


@pytest.mark.parametrize("name", SPACE.references)
def test_each_form_has_a_name_of_its_own_and_is_a_member(name: str) -> None:
    whole = list(forms(name, SPACE.references[name]))
    assert (whole[0].name, whole[0].architecture) == (name, SPACE.references[name])
    assert len({form.name for form in whole}) == len(whole)
    for form in whole:
        SPACE.read(form.architecture)
        assert form.name.startswith(name)
    assert trace(whole[-1].architecture, TASK).macs < trace(whole[0].architecture, TASK).macs / 30


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("Tiramisu-67", "Tiramisu-67, growth 8"),
        ("Tiramisu-67", "Tiramisu-67, 2 layers, growth 8"),
        ("Tiramisu-103", "Tiramisu-103, 2 to 7 layers, growth 8"),
        ("U-Net", "U-Net, base 16"),
        ("U-Net", "U-Net, 3 stages, base 16"),
        ("ResNet-50 U-Net", "ResNet-50 U-Net, 1 unit, base 16"),
        ("DeepLabv3+ R50", "DeepLabv3+ R50, 1 to 3 units, base 32"),
    ],
)
def test_a_form_is_called_by_what_is_less_than_published(reference: str, name: str) -> None:
    assert name in [form.name for form in forms(reference, SPACE.references[reference])]


@pytest.mark.parametrize("name", ["Tiramisu-103", "DeepLabv3+ R50", "ResNeSt-50 U-Net", "U-Net"])
@pytest.mark.parametrize("most", [20, 60, 120])
def test_the_first_form_that_fits_is_taken(name: str, most: int) -> None:
    form = largest(name, SPACE.references[name], lambda architecture: len(trace(architecture, TASK).nodes) <= most)
    if form is not None:
        assert len(trace(form.architecture, TASK).nodes) <= most
    assert largest(name, SPACE.references[name], lambda _: False) is None


def test_width_is_kept_where_depth_must_go() -> None:
    # Only nodes count here, so that no width helps: the widest of the deepest forms that fit is taken.
    form = largest("Tiramisu-67", SPACE.references["Tiramisu-67"], lambda a: len(trace(a, TASK).nodes) < 200)
    assert form is not None
    assert form.name == "Tiramisu-67, 2 layers"
