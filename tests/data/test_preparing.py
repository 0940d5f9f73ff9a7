"""What is done to a case: MONAI's transforms and nnU-Net's plan, and all of it undone."""

from dataclasses import replace
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nas.data import IGNORED, Normalisation, Preprocessing, Volume, plan_preprocessing
from nas.data.fingerprint import CaseSummary, ChannelSummary, Fingerprint, ForegroundIntensities
from nas.data.geometry import Geometry, orientation_of
from nas.data.placement import Placement, box_of
from nas.data.preparing import prepare_image, prepare_volume
from nas.data.resampling import coarse_axis, resample_classes, resample_image

RAS = np.diag([1.0, 1.5, 2.0, 1.0])
LPS = np.diag([-1.0, -1.5, 2.0, 1.0])
SAR = np.array([[0, 0, 2.0, 5], [0, 1.5, 0, 6], [1.0, 0, 0, 7], [0, 0, 0, 1]])
PIR = np.array([[0, 0, 1.0, 0], [-1.5, 0, 0, 0], [0, -2.0, 0, 0], [0, 0, 0, 1]])
OBLIQUE = np.array([[0.9, -0.2, 0, 0], [0.2, 0.9, 0.1, 0], [0, -0.1, 1.0, 0], [0, 0, 0, 1]])


def scan(shape: tuple[int, ...], channels: int = 1, seed: int = 0) -> np.ndarray:
    """Smooth bumps, (channels, *shape)."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(seed).standard_normal((channels, *shape))
    return np.stack([100 * gaussian_filter(channel, 2) + 50 for channel in noise]).astype(np.float32)


def ball(shape: tuple[int, ...]) -> np.ndarray:
    """Two halves of a ball in the middle, classes 1 and 2."""
    places = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij"))
    return ((places**2).sum(axis=0) < 0.5).astype(np.uint8) * (1 + (places[0] > 0)).astype(np.uint8)


def settings(spacing: tuple[float, ...], *channels: Normalisation) -> Preprocessing:
    return Preprocessing(spacing, channels or (Normalisation(),))


@pytest.mark.parametrize("affine", [RAS, LPS, SAR, PIR, OBLIQUE])
def test_images_are_turned_as_monai_turns_them(affine: np.ndarray) -> None:
    import torch
    from monai.data import MetaTensor
    from monai.transforms import Orientation

    image = scan((7, 8, 9))
    turned = Orientation(axcodes="RAS", labels=(("L", "R"), ("P", "A"), ("I", "S")))(
        MetaTensor(torch.from_numpy(image), affine=torch.from_numpy(affine))
    )
    orientation = orientation_of(affine, 3)
    np.testing.assert_array_equal(orientation.apply(image), turned.numpy())
    np.testing.assert_array_equal(orientation.undo(orientation.apply(image[0])), image[0])


@pytest.mark.parametrize("size", [(24, 20, 18), (9, 11, 10), (20, 11, 18)])
def test_images_are_resampled_as_monai_resamples_them(size: tuple[int, ...]) -> None:
    import torch
    from monai.data import MetaTensor
    from monai.transforms import SpatialResample

    image = scan((15, 16, 14))
    steps = np.array(image.shape[1:]) / size
    affine = np.diag([*steps, 1])
    affine[:3, 3] = (steps - 1) / 2  # both grids cover the same extent
    expected = SpatialResample(mode=3, padding_mode="nearest", align_corners=False, dtype=np.float64)(
        MetaTensor(torch.from_numpy(image), affine=torch.eye(4)), dst_affine=affine, spatial_size=size
    ).numpy()
    inner = (slice(None), *[slice(2, -2)] * 3)  # MONAI takes the outermost voxels' value outside their middles
    np.testing.assert_allclose(resample_image(image, size)[inner], expected[inner], atol=1e-3)


def test_intensities_are_normalised_as_monai_normalises_them() -> None:
    from monai.transforms import NormalizeIntensity

    image = scan((20, 18, 17), channels=2)
    prepared = prepare_volume(
        Volume(image, ball((20, 18, 17)), Geometry((1, 1, 1))), settings((1, 1, 1), Normalisation(), Normalisation())
    )
    np.testing.assert_allclose(prepared.image, NormalizeIntensity(channel_wise=True)(image).numpy(), atol=1e-4)


def test_content_is_cropped_as_monai_crops_it() -> None:
    from monai.transforms.utils import generate_spatial_bounding_box

    image = np.zeros((2, 60, 50, 40), np.float32)
    image[0, 10:40, 5:30, 7] = 1
    image[1, 20:45, 5:30, 7:39] = -1
    start, stop = generate_spatial_bounding_box(image, select_fn=lambda values: values != 0)
    box = box_of((image != 0).any(axis=0))
    assert box == tuple(zip(start, stop, strict=True)) == ((10, 45), (5, 30), (7, 39))


@pytest.mark.parametrize(
    ("size", "inside", "box"),
    [
        (40, slice(20, 22), (13, 29)),
        (40, slice(0, 1), (0, 16)),
        (40, slice(39, 40), (24, 40)),
        (12, slice(3, 5), (0, 12)),
        (40, slice(0, 0), (0, 40)),
        (40, slice(3, 30), (3, 30)),
    ],
)
def test_a_crop_leaves_what_networks_need(size: int, inside: slice, box: tuple[int, int]) -> None:
    content = np.zeros((size, 20), bool)
    content[inside] = True
    assert box_of(content) == (box, (0, 20))


def test_ct_is_clipped_and_normalised_by_the_whole_set() -> None:
    image = np.array([-1000, -100, 0, 100, 5000], np.float32).repeat(256).reshape(1, 5, 16, 16)
    how = Normalisation(low=-100, high=300, mean=50, deviation=100)
    prepared = prepare_volume(
        Volume(image, np.zeros((5, 16, 16), np.uint8), Geometry((1, 1, 1))), settings((1, 1, 1), how)
    )
    np.testing.assert_allclose(prepared.image[0, :, 0, 0], [-1.5, -1.5, -0.5, 0.5, 2.5])


def test_where_scans_are_padded_only_their_content_counts() -> None:
    image = np.zeros((1, 40, 40, 40), np.float32)
    image[0, :10, :10, :10] = 5  # far from the rest, so that the box holds much that is empty
    image[0, 20:40, 20:40, 20:40] = scan((20, 20, 20))[0] + 100
    prepared = prepare_volume(
        Volume(image, np.zeros((40, 40, 40), np.uint8), Geometry((1, 1, 1))),
        settings((1, 1, 1), Normalisation(inside=True)),
    )
    content = image[0] != 0
    assert prepared.image[0][content].mean() == pytest.approx(0, abs=1e-4)
    assert prepared.image[0][content].std() == pytest.approx(1, abs=1e-4)
    assert not prepared.image[0][~content].any()


@given(
    shape=st.tuples(*[st.integers(16, 24)] * 3),
    affine=st.sampled_from([RAS, LPS, SAR, PIR]),
    margin=st.integers(0, 3),
    seed=st.integers(0, 9),
)
def test_without_resampling_everything_comes_back(
    shape: tuple[int, ...], affine: np.ndarray, margin: int, seed: int
) -> None:
    image = np.pad(np.abs(scan(shape, seed=seed)) + 1, [(0, 0), *[(margin, 2 * margin)] * 3])
    label = np.pad(ball(shape), [(margin, 2 * margin)] * 3)
    spacing = tuple(np.linalg.norm(affine[:3, axis]) for axis in range(3))
    prepared = prepare_volume(
        Volume(image, label, Geometry(spacing, affine)), settings(orientation_of(affine, 3).sort(spacing))
    )
    assert prepared.label.size == prod(shape)
    assert prepared.placement.unchanged is (affine is RAS and margin == 0)
    assert Placement.from_json(prepared.placement.to_json()) == prepared.placement
    np.testing.assert_array_equal(prepared.placement.restore(prepared.label), label)


@pytest.mark.parametrize(
    ("spacing", "target", "size", "coarse"),
    [
        ((1, 1, 1), (1, 1, 1), (30, 28, 26), None),
        ((1, 1, 1), (1.005, 0.995, 1), (30, 28, 26), None),
        ((1, 1, 1), (0.8, 0.8, 0.8), (38, 35, 32), None),
        ((1, 1, 1), (1.5, 1.5, 1), (20, 19, 26), None),
        ((0.5, 0.5, 5), (0.7, 0.7, 4), (21, 20, 32), 2),
        ((1, 1, 1), (0.5, 0.5, 4), (60, 56, 6), 2),
    ],
)
def test_a_structure_survives_the_way_there_and_back(
    spacing: tuple[float, ...], target: tuple[float, ...], size: tuple[int, ...], coarse: int | None
) -> None:
    label = ball((30, 28, 26))
    prepared = prepare_volume(Volume(scan(label.shape), label, Geometry(spacing, RAS)), settings(target))
    assert prepared.label.shape == size
    assert prepared.placement.coarse == coarse
    assert prepared.spacing == (
        spacing
        if size == label.shape
        else tuple(
            step if new == old else wanted
            for step, wanted, new, old in zip(spacing, target, size, label.shape, strict=True)
        )
    )
    back = prepared.placement.restore(prepared.label)
    assert back.shape == label.shape
    for index in (1, 2):
        overlap = 2 * ((back == index) & (label == index)).sum() / ((back == index).sum() + (label == index).sum())
        assert overlap > (0.95 if coarse is None else 0.85)


@pytest.mark.parametrize("target", [(1, 1, 1), (0.7, 1.3, 1), (0.5, 0.5, 4)])
def test_an_image_without_a_label_is_prepared_as_one_with_a_label(target: tuple[float, ...]) -> None:
    image, label = np.pad(scan((20, 18, 17)), [(0, 0), *[(3, 6)] * 3]), np.pad(ball((20, 18, 17)), [(3, 6)] * 3)
    geometry, how = Geometry((1.0, 1.0, 1.0), LPS), settings(target)
    alone, labelled = prepare_image(image, geometry, how), prepare_volume(Volume(image, label, geometry), how)
    np.testing.assert_array_equal(alone.image, labelled.image)
    assert (alone.spacing, alone.placement) == (labelled.spacing, labelled.placement)
    np.testing.assert_array_equal(labelled.label, alone.placement.apply(label))


@pytest.mark.parametrize("target", [(1, 1, 1), (0.7, 1.3, 1), (0.5, 0.5, 4)])
@pytest.mark.parametrize("affine", [RAS, SAR, PIR])
def test_probabilities_come_back_where_the_classes_do(affine: np.ndarray, target: tuple[float, ...]) -> None:
    image = np.pad(scan((20, 18, 17)), [(0, 0), *[(3, 6)] * 3])
    prepared = prepare_image(image, Geometry((1.0, 1.0, 1.0), affine), settings(target))
    classes = ball(prepared.placement.size)
    shares = np.stack([classes == index for index in range(3)]).astype(np.float32)
    back = prepared.placement.restore_values(shares, outside=(1, 0, 0))
    assert back.shape == (3, *image.shape[1:])
    np.testing.assert_allclose(back.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(back[:, :3, :3, :3].argmax(axis=0), 0)
    np.testing.assert_array_equal(back.argmax(axis=0), prepared.placement.restore(classes))


def test_thick_slices_are_never_mixed() -> None:
    image = np.zeros((1, 16, 16, 4), np.float32) + np.array([0, 100, 0, 200], np.float32)
    resampled = resample_image(image, (24, 24, 8), coarse=2)
    assert set(np.unique(resampled.round(3))) == {0, 100, 200}


def test_unknown_voxels_stay_unknown() -> None:
    label = np.full((20, 20), 1, np.uint8)
    label[:10] = IGNORED
    np.testing.assert_array_equal(np.unique(resample_classes(label, (33, 31))), [1, IGNORED])


@pytest.mark.parametrize(
    ("spacing", "axis"),
    [((1, 1, 3), None), ((1, 1, 3.5), 2), ((5, 1, 1), 0), ((0.2, 1.25, 1.25), None), ((1, 5), None)],
)
def test_when_slices_are_thick(spacing: tuple[float, ...], axis: int | None) -> None:
    assert coarse_axis(spacing) == axis


def fingerprint(
    spacings: list[tuple[float, ...]], shape: tuple[int, ...], channel: str = "T1", content: float = 1.0
) -> Fingerprint:
    """A fingerprint of which only what preprocessing needs is filled in."""
    inside = ForegroundIntensities(low=-60, high=240, mean=80, deviation=30)
    return Fingerprint(
        name="made up",
        cases=len(spacings),
        axes=len(shape),
        shape_minimum=shape,
        shape_median=shape,
        shape_maximum=shape,
        spacing_minimum=spacings[0],
        spacing_median=spacings[0],
        spacing_maximum=spacings[0],
        orientations={},
        channels=(ChannelSummary(channel, -1000, 3000, 0, 100, inside),),
        classes=(),
        regions=(),
        ignored_fraction=0,
        warnings=(),
        digest="",
        case_summaries=tuple(
            CaseSummary(f"case_{n}", shape, spacing, "RAS", content, "") for n, spacing in enumerate(spacings)
        ),
    )


THIN, THICK = (0.7, 0.7, 1.5), (0.7, 0.7, 5.0)


@pytest.mark.parametrize(
    ("spacings", "shape", "target"),
    [
        ([(1, 1, 1), (1, 1, 2), (1, 1, 3)], (90, 90, 90), (1, 1, 2)),
        ([THICK] * 10, (512, 512, 60), THICK),
        ([THIN] * 4 + [THICK] * 6, (512, 512, 60), THIN),  # thick: the thinnest tenth
        ([THIN] * 4 + [THICK] * 6, (100, 100, 90), THICK),  # as many slices as columns: no thick slices
        ([(0.7, 0.7, 0.5)] * 4 + [THICK] * 6, (512, 512, 60), (0.7, 0.7, 0.7)),  # never thinner than the others
        ([(1.0, 1.0)] * 3, (256, 256), (1, 1)),
    ],
)
def test_the_target_spacing_is_that_of_nnunet(
    spacings: list[tuple[float, ...]], shape: tuple[int, ...], target: tuple[float, ...]
) -> None:
    assert plan_preprocessing(fingerprint(spacings, shape)).spacing == pytest.approx(target)


def test_the_plan_knows_ct_and_padding() -> None:
    spacing, shape = (1.0, 1.0, 1.0), (64, 64, 64)
    ct = plan_preprocessing(fingerprint([spacing], shape, "CT"))
    assert ct.channels == (Normalisation(low=-60, high=240, mean=80, deviation=30),)
    assert plan_preprocessing(fingerprint([spacing], shape, "T1")).channels == (Normalisation(),)
    padded = plan_preprocessing(fingerprint([spacing], shape, "T1", content=0.4))
    assert padded == replace(padded, channels=(Normalisation(inside=True),))
