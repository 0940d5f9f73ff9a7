"""Cases that say different things: refused or told, with cases on both sides, and not where they do not."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from nas.data import check, memory, open_dataset
from nas.data.memory import memory_limit
from nas.data.values import scattered_values, values_of
from nas.errors import InputError

from .factories import describing, intensities, labels, msd, pairs, write

SQUARE = (48, 40)
NAMES = tuple(f"case_{number}" for number in range(6))


def disc(name: str, shape: tuple[int, ...] = SQUARE) -> np.ndarray:
    """A disc somewhere, as booleans."""
    centre = np.random.default_rng(list(name.encode())).uniform(15, 25, 2)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < 60


def masks(folder: Path, values: tuple[int, ...], palettes: tuple[tuple[int, ...], ...] = ()) -> Path:
    """Pictures with a disc, which has these values in turn; shown in black and white with palettes."""
    for number, name in enumerate(NAMES):
        inside = disc(name)
        write(folder / f"images/{name}.png", (intensities(name, SQUARE, np.uint8) // 4 + 100 * inside).astype(np.uint8))
        picture = Image.fromarray((inside * values[number % len(values)]).astype(np.uint8))
        if palettes:
            picture = Image.fromarray(inside.astype(np.uint8))
            palette = palettes[number % len(palettes)]
            if palette[0]:
                picture = Image.fromarray((~inside).astype(np.uint8))
            picture.putpalette([part for grey in palette for part in [grey] * 3])
        (folder / "labels").mkdir(exist_ok=True, parents=True)
        picture.save(folder / f"labels/{name}.png")
    return folder


BLACK_FIRST, WHITE_FIRST = (0, 255), (255, 0)


def test_palettes_of_one_order_are_fine(tmp_path: Path) -> None:
    assert check(open_dataset(masks(tmp_path, (1,), (BLACK_FIRST,)))).warnings == ()


def test_palettes_of_two_orders_are_refused_with_cases_of_both(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        check(open_dataset(masks(tmp_path, (1,), (BLACK_FIRST, WHITE_FIRST))))
    assert str(caught.value).startswith(
        "palettes: value 0 is shown as #000000 in case_0, case_2, case_4 and as #ffffff in case_1, case_3, case_5"
    )


def test_a_background_shown_in_white_is_told(tmp_path: Path) -> None:
    (warning,) = check(open_dataset(masks(tmp_path, (1,), (WHITE_FIRST,)))).warnings
    assert warning.startswith("the palette of case_0, case_1")
    assert "shows value 0, the background, as the brightest colour" in warning


@pytest.mark.parametrize("values", [(1,), (255,)])
def test_masks_of_one_value_are_fine(values: tuple[int, ...], tmp_path: Path) -> None:
    assert check(open_dataset(masks(tmp_path, values))).warnings == ()


def test_values_that_never_meet_are_told_with_cases_of_both(tmp_path: Path) -> None:
    (warning,) = [line for line in check(open_dataset(masks(tmp_path, (1, 255)))).warnings if "no case" in line]
    assert warning.startswith(
        "no case shows both 'class 1' in case_0, case_2, case_4 and 'class 255' in case_1, case_3, case_5"
    )
    assert "--labels" in warning


def scanned(folder: Path, shift: dict[str, float], scale: dict[str, float]) -> Path:
    """Scans of -1000 to 200, some of them shifted or scaled."""
    msd(folder, shape=SQUARE, cases=NAMES)
    describing(labels={"0": "background", "1": "disc"}, modality={"0": "CT"})(folder)
    for name in NAMES:
        inside = disc(name)
        image = 1200 * (intensities(name, SQUARE) > 100) - 1000 + 400 * inside
        write(folder / f"imagesTr/{name}.nii.gz", (image * scale.get(name, 1) + shift.get(name, 0)).astype(np.float32))
        write(folder / f"labelsTr/{name}.nii.gz", inside.astype(np.uint8))
    return folder


@pytest.mark.parametrize(
    ("shift", "scale", "both"),
    [
        ({}, {}, None),
        ({name: 30.0 * number for number, name in enumerate(NAMES)}, {}, None),
        (dict.fromkeys(NAMES[:3], 1024), {}, ("case_3, case_4, case_5", "case_0, case_1, case_2")),
        (dict.fromkeys(NAMES[:1], 1024), {}, ("case_1, case_2, case_3, case_4, case_5", "case_0")),
        ({}, dict.fromkeys(NAMES[3:], 1 / 16), ("case_0, case_1, case_2", "case_3, case_4, case_5")),
    ],
)
def test_intensities_on_two_scales_are_told_with_cases_of_both(
    shift: dict[str, float], scale: dict[str, float], both: tuple[str, str] | None, tmp_path: Path
) -> None:
    told = [line for line in check(open_dataset(scanned(tmp_path, shift, scale))).warnings if "two scales" in line]
    assert bool(told) is bool(both)
    for line in told:
        assert all(names in line for names in both or ())


def respaced(folder: Path, name: str, factor: float) -> None:
    for path in folder.rglob(f"{name}.nii.gz"):
        image = nibabel.load(path)
        voxels = np.asarray(image.dataobj)
        write(path, voxels, np.diag([factor, 1.5 * factor, 2 * factor, 1]))


def test_a_case_that_could_not_be_resampled_is_refused_before_it_is_tried(tmp_path: Path) -> None:
    respaced(msd(tmp_path, cases=NAMES), "case_3", 5000)
    with pytest.raises(InputError) as caught:
        check(open_dataset(tmp_path))
    message = str(caught.value)
    assert message.startswith("case case_3: 18 x 17 x 6 voxels of 5000 x 7500 x 1e+04 mm become 90000 x 85000 x 30000")
    assert "more than this machine's" in message


def test_the_memory_is_what_a_shell_or_container_allows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = memory_limit()
    (tmp_path / "memory.max").write_text(f"{before // 2}\n")
    monkeypatch.setattr(memory, "_LIMITS", (str(tmp_path / "memory.max"),))
    memory_limit.cache_clear()
    assert memory_limit() == before // 2
    (tmp_path / "memory.max").write_text("max\n")
    memory_limit.cache_clear()
    assert memory_limit() >= before
    memory_limit.cache_clear()


def test_a_spacing_far_from_the_others_is_told(tmp_path: Path) -> None:
    respaced(msd(tmp_path, cases=NAMES), "case_3", 6)
    warnings = check(open_dataset(tmp_path)).warnings
    assert "the spacing of case_3 is far from that of the others: look whether it is right" in warnings


def test_a_spacing_in_the_wrong_unit_is_told(tmp_path: Path) -> None:
    msd(tmp_path)
    for number in (1, 2, 3):
        respaced(tmp_path, f"case_{number}", 1000)
    assert any(
        "more than 100 mm: look whether its unit is right" in line for line in check(open_dataset(tmp_path)).warnings
    )


def test_spacings_known_in_some_cases_alone_are_refused(tmp_path: Path) -> None:
    folder = pairs(tmp_path)
    (folder / "images/case_2.json").write_text('{"spacing": [0.3, 0.3]}')
    with pytest.raises(InputError, match="spacing: unknown in case_1, case_3, but given in case_2; give it to all"):
        check(open_dataset(folder))


def test_an_unknown_spacing_is_not_measured(tmp_path: Path) -> None:
    assert not check(open_dataset(pairs(tmp_path / "a"))).measured
    assert check(open_dataset(msd(tmp_path / "b"))).measured


def compressed(inside: np.ndarray, quality: int) -> np.ndarray:
    """A mask that went through JPEG."""
    import io

    buffer = io.BytesIO()
    Image.fromarray((inside * 255).astype(np.uint8)).save(buffer, "jpeg", quality=quality)
    return np.asarray(Image.open(buffer))


def smoothed(inside: np.ndarray) -> np.ndarray:
    picture = Image.fromarray((inside * 255).astype(np.uint8))
    return np.asarray(picture.resize((97, 93), Image.Resampling.BILINEAR))


def instances(shape: tuple[int, ...]) -> np.ndarray:
    """Many things of nine pixels each, with a value of their own."""
    label = np.zeros(shape, np.uint8)
    for number in range(80):
        row, column = divmod(number, 10)
        label[5 * row : 5 * row + 3, 4 * column : 4 * column + 3] = number + 1
    return label


@pytest.mark.parametrize(
    ("label", "spoilt"),
    [
        (compressed(disc("a"), 90), True),
        (compressed(disc("b"), 50), True),
        (smoothed(disc("a")), True),
        (disc("a").astype(np.uint8) * 255, False),
        (instances((48, 40)), False),
        (labels(SQUARE, (0, 1, 2, 3, 4, 5, 6, 7)), False),
    ],
)
def test_a_label_that_was_compressed_or_smoothed_is_known(label: np.ndarray, spoilt: bool) -> None:
    assert bool(scattered_values(label)) is spoilt


def test_it_is_refused_and_its_values_are_no_classes(tmp_path: Path) -> None:
    folder = masks(tmp_path, (255,))
    Image.fromarray(compressed(disc("case_2"), 80)).save(folder / "labels/case_2.png")
    with pytest.raises(InputError, match=r"labels/case_2.png: .* values .* lie scattered at edges"):
        open_dataset(folder)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint16, np.int16, np.int32, np.float32, bool])
def test_the_values_of_a_label(kind: type, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-5 if np.dtype(kind).kind in "if" else 0, 90, (30, 40, 3)).astype(kind)
    np.testing.assert_array_equal(values_of(values), np.unique(values))
    np.testing.assert_array_equal(values_of(np.asfortranarray(values)[::2]), np.unique(values[::2]))
