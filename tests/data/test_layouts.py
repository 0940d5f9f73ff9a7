"""Published data sets, laid out as their makers publish them, are recognised and read by themselves."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nas.data import (
    IGNORED,
    DataOptions,
    Dataset,
    check,
    open_dataset,
    plan_preprocessing,
    prepare_dataset,
    read_options,
)
from nas.data.layout import Layout, open_layout, shipped_layouts
from nas.errors import InputError

from .factories import BOX, SQUARE, describe, intensities, labels, write

PICTURE = (*SQUARE, 3)


def ball(shape: tuple[int, ...], row: int = 8) -> np.ndarray:
    """A structure of some rows, in values of 0 and 255."""
    mask = np.zeros(shape, np.uint8)
    mask[row : row + 4] = 255
    return mask


def scan(path: Path) -> None:
    write(path, intensities(path.name, BOX))


def kits23(folder: Path) -> None:
    for number in (0, 1, 400):
        case = folder / f"dataset/case_{number:05d}"
        scan(case / "imaging.nii.gz")
        write(case / "segmentation.nii.gz", labels(BOX, (0, 1, 2, 3)))
        write(case / "instances/kidney_instance-1_annotation-1.nii.gz", labels(BOX, (0, 1)))
    (folder / "dataset/kits23.json").write_text("[]")


def lits(folder: Path) -> None:
    for batch, number in (("Training Batch 1", 0), ("Training Batch 1", 10), ("Training Batch 2", 28)):
        scan(folder / batch / f"volume-{number}.nii")
        write(folder / batch / f"segmentation-{number}.nii", labels(BOX))


def brats2021(folder: Path) -> None:
    for number in (0, 2, 1666):
        case = f"BraTS2021_{number:05d}"
        for channel in ("flair", "t1", "t1ce", "t2"):
            scan(folder / case / f"{case}_{channel}.nii.gz")
        write(folder / case / f"{case}_seg.nii.gz", labels(BOX, (0, 1, 2, 4)))


def brats2023(folder: Path) -> None:
    for case in ("BraTS-GLI-00000-000", "BraTS-GLI-00000-001", "BraTS-GLI-00002-000"):
        for channel in ("t1c", "t1n", "t2f", "t2w"):
            scan(folder / case / f"{case}-{channel}.nii.gz")
        write(folder / case / f"{case}-seg.nii.gz", labels(BOX, (0, 1, 2, 3)))


def acdc(folder: Path) -> None:
    for patient, last in (("patient001", 12), ("patient002", 12), ("patient003", 15)):
        home = folder / "training" / patient
        for frame in (1, last):
            scan(home / f"{patient}_frame{frame:02d}.nii.gz")
            write(home / f"{patient}_frame{frame:02d}_gt.nii.gz", labels(BOX, (0, 1, 2, 3)))
        write(home / f"{patient}_4d.nii.gz", intensities(patient, (*BOX, 2)))
        (home / "Info.cfg").write_text(f"ED: 1\nES: {last}\nGroup: DCM\nHeight: 184.0\nNbFrame: 30\nWeight: 95.0\n")


def amos22(folder: Path) -> None:
    for number in (1, 4, 507):
        scan(folder / f"imagesTr/amos_{number:04d}.nii.gz")
        write(folder / f"labelsTr/amos_{number:04d}.nii.gz", labels(BOX, tuple(range(16))))
        scan(folder / f"imagesTs/amos_{number + 1:04d}.nii.gz")


def isic(folder: Path) -> None:
    for number in (0, 1, 3):
        image = folder / f"ISIC2018_Task1-2_Training_Input/ISIC_{number:07d}.jpg"
        write(image, intensities(image.name, PICTURE, np.uint8))
        write(folder / f"ISIC2018_Task1_Training_GroundTruth/ISIC_{number:07d}_segmentation.png", ball(SQUARE))
    for part in ("ISIC2018_Task1-2_Training_Input", "ISIC2018_Task1_Training_GroundTruth"):
        (folder / part / "ATTRIBUTION.txt").write_text("CC-0")
        (folder / part / "LICENSE.txt").write_text("CC-0")


def drive(folder: Path) -> None:
    for number in (21, 22, 23):
        for part, name in (("1st_manual", f"{number}_manual1"), ("mask", f"{number}_training_mask")):
            (folder / "training" / part).mkdir(parents=True, exist_ok=True)
            Image.fromarray(ball(SQUARE)).save(folder / "training" / part / f"{name}.gif")
        write(folder / f"training/images/{number}_training.tif", intensities(str(number), PICTURE, np.uint8))
    write(folder / "test/images/01_test.tif", intensities("01", PICTURE, np.uint8))


def busi(folder: Path) -> None:
    for kind in ("benign", "malignant", "normal"):
        for number in (1, 2):
            stem = folder / f"Dataset_BUSI_with_GT/{kind}/{kind} ({number})"
            write(stem.with_name(f"{stem.name}.png"), intensities(stem.name, PICTURE, np.uint8))
            mask = ball(SQUARE) if kind != "normal" else np.zeros(SQUARE, np.uint8)
            write(stem.with_name(f"{stem.name}_mask.png"), mask)
    home = folder / "Dataset_BUSI_with_GT/benign"
    write(home / "benign (1)_mask_1.png", ball(SQUARE, row=16))


def totalsegmentator(folder: Path) -> None:
    for number in (0, 1, 1428):
        case = folder / f"s{number:04d}"
        scan(case / "ct.nii.gz")
        for row, organ in enumerate(("aorta", "liver", "spleen")):
            write(case / f"segmentations/{organ}.nii.gz", ball(BOX, row=4 * row) // 255)
    (folder / "meta.csv").write_text("image_id;age;gender\ns0000;75;m\n")


PUBLISHED: Mapping[str, Callable[[Path], None]] = {
    "kits23": kits23,
    "lits": lits,
    "brats2021": brats2021,
    "brats2023": brats2023,
    "acdc": acdc,
    "amos22": amos22,
    "isic": isic,
    "drive": drive,
    "busi": busi,
    "totalsegmentator": totalsegmentator,
}

WHAT_IS_READ: Mapping[str, tuple[list[str], tuple[str, ...], tuple[str, ...]]] = {
    "kits23": (["case_00000", "case_00001", "case_00400"], ("CT",), ("background", "kidney", "tumour", "cyst")),
    "lits": (["0", "10", "28"], ("CT",), ("background", "liver", "tumour")),
    "brats2021": (
        ["BraTS2021_00000", "BraTS2021_00002", "BraTS2021_01666"],
        ("T1", "T1ce", "T2", "FLAIR"),
        ("background", "necrosis", "oedema", "enhancing"),
    ),
    "brats2023": (
        ["BraTS-GLI-00000-000", "BraTS-GLI-00000-001", "BraTS-GLI-00002-000"],
        ("T1n", "T1c", "T2w", "T2f"),
        ("background", "necrosis", "oedema", "enhancing"),
    ),
    "acdc": (
        [
            f"patient{patient:03d}_frame{frame:02d}"
            for patient, last in ((1, 12), (2, 12), (3, 15))
            for frame in (1, last)
        ],
        ("MRI",),
        ("background", "right ventricle", "myocardium", "left ventricle"),
    ),
    "amos22": (
        ["amos_0001", "amos_0004", "amos_0507"],
        ("image",),
        tuple(name for name, _ in shipped_layouts()["amos22"].classes),
    ),
    "isic": (["ISIC_0000000", "ISIC_0000001", "ISIC_0000003"], ("red", "green", "blue"), ("background", "lesion")),
    "drive": (["21", "22", "23"], ("red", "green", "blue"), ("background", "vessel")),
    "busi": (
        ["benign (1)", "benign (2)", "malignant (1)", "malignant (2)", "normal (1)", "normal (2)"],
        ("red", "green", "blue"),
        ("background", "lesion"),
    ),
    "totalsegmentator": (["s0000", "s0001", "s1428"], ("CT",), ("background", "aorta", "liver", "spleen")),
}


@pytest.fixture(params=PUBLISHED)
def published(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Dataset]:
    PUBLISHED[request.param](tmp_path)
    return request.param, open_dataset(tmp_path)


def test_every_shipped_layout_is_tested_as_it_is_published() -> None:
    assert set(PUBLISHED) == set(shipped_layouts())


def test_a_published_data_set_is_recognised(published: tuple[str, Dataset]) -> None:
    name, dataset = published
    cases, channels, classes = WHAT_IS_READ.get(
        name, ([case.name for case in dataset.cases], ("image",), dataset.classes)
    )
    assert [case.name for case in dataset.cases] == cases
    assert dataset.channels == channels
    assert dataset.classes == classes
    fingerprint = check(dataset)
    assert fingerprint.cases == len(cases)
    assert all(summary.cases for summary in fingerprint.classes)


def test_nothing_is_lost_when_a_layout_is_kept_as_json(published: tuple[str, Dataset], tmp_path: Path) -> None:
    name, dataset = published
    layout = shipped_layouts()[name]
    options = DataOptions.from_json(json.loads(json.dumps(read_options(layout=name).to_json())))
    assert options == DataOptions(layout=layout)
    again = open_dataset(tmp_path, options)
    assert (again.cases, again.classes, again.regions) == (dataset.cases, dataset.classes, dataset.regions)


def test_what_a_layout_leaves_out_is_told(tmp_path: Path) -> None:
    drive(tmp_path)
    (left_out,) = open_dataset(tmp_path).left_out
    assert left_out.reason == "files that fit no pattern of DRIVE"
    assert left_out.names == (
        "test/images/01_test.tif",
        *(f"training/mask/{number}_training_mask.gif" for number in (21, 22, 23)),
    )


@pytest.mark.parametrize(
    ("publish", "groups"),
    [(acdc, ["patient001", "patient002", "patient003"]), (brats2023, ["BraTS-GLI-00000", "BraTS-GLI-00002"])],
)
def test_what_is_of_one_patient_is_of_one_group(
    publish: Callable[[Path], None], groups: list[str], tmp_path: Path
) -> None:
    publish(tmp_path)
    dataset = open_dataset(tmp_path)
    assert sorted({case.group for case in dataset.cases}) == groups
    assert all(case.name.startswith(case.group) for case in dataset.cases)


@pytest.mark.parametrize(
    ("publish", "regions"),
    [
        (kits23, {"kidney and masses": (1, 2, 3), "masses": (2, 3), "tumour": (2,)}),
        (brats2021, {"whole tumour": (1, 2, 3), "tumour core": (1, 3), "enhancing tumour": (3,)}),
        (brats2023, {"whole tumour": (1, 2, 3), "tumour core": (1, 3), "enhancing tumour": (3,)}),
    ],
)
def test_regions_are_those_of_the_challenge(
    publish: Callable[[Path], None], regions: Mapping[str, tuple[int, ...]], tmp_path: Path
) -> None:
    publish(tmp_path)
    assert {region.name: region.classes for region in open_dataset(tmp_path).regions} == regions


def test_the_lesions_of_an_image_are_one_class(tmp_path: Path) -> None:
    busi(tmp_path)
    dataset = open_dataset(tmp_path)
    rows = [np.flatnonzero(dataset.load(case).label.any(axis=1)).tolist() for case in dataset.cases]
    assert rows == [[8, 9, 10, 11, 16, 17, 18, 19], [8, 9, 10, 11], [8, 9, 10, 11], [8, 9, 10, 11], [], []]


def test_the_masks_of_a_case_become_one_label(tmp_path: Path) -> None:
    totalsegmentator(tmp_path)
    volume = open_dataset(tmp_path).load(open_dataset(tmp_path).cases[0])
    rows = [np.flatnonzero((volume.label == value).any(axis=(1, 2))).tolist() for value in (1, 2, 3)]
    assert rows == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


CHEST = """
name = "Chest"
channels = { CT = "{case}/ct.nii.gz" }
"""


def chest(folder: Path, **masks: np.ndarray) -> Path:
    """Two cases with a mask for each class."""
    for case in ("a", "b"):
        scan(folder / f"data/{case}/ct.nii.gz")
        for name, mask in masks.items():
            write(folder / f"data/{case}/{name}.nii.gz", mask)
    return folder / "data"


def opened(folder: Path, layout: str | Path | Layout) -> Dataset:
    return open_dataset(folder, read_options(layout=layout))


def layout_file(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


def test_later_masks_are_painted_over_earlier_ones(tmp_path: Path) -> None:
    folder = chest(tmp_path, lung=ball(BOX, 4), nodule=ball(BOX, 6))
    layout = layout_file(tmp_path, CHEST + 'masks = { lung = "{case}/lung.nii.gz", nodule = "{case}/nodule.nii.gz" }')
    dataset = opened(folder, layout)
    assert dataset.classes == ("background", "lung", "nodule")
    assert dataset.load(dataset.cases[0]).label[:, 0, 0].tolist() == [0] * 4 + [1] * 2 + [2] * 4 + [0] * 8


def test_chosen_classes_are_taken_in_their_order(tmp_path: Path) -> None:
    folder = chest(tmp_path, heart=ball(BOX, 0), lung=ball(BOX, 4), nodule=ball(BOX, 6))
    layout = layout_file(tmp_path, CHEST + 'label = "{case}/{class}.nii.gz"\nclasses = ["nodule", "lung"]')
    dataset = opened(folder, layout)
    assert dataset.classes == ("background", "nodule", "lung")
    assert dataset.load(dataset.cases[0]).label[:, 0, 0].tolist() == [0] * 4 + [2] * 4 + [1] * 2 + [0] * 8


def test_several_values_are_one_class_and_one_may_be_unknown(tmp_path: Path) -> None:
    folder = chest(tmp_path, label=labels(BOX, (0, 1, 7, 9)))
    layout = layout_file(tmp_path, CHEST + 'label = "{case}/label.nii.gz"\nclasses = { lesion = [1, 7], ignore = 9 }')
    dataset = opened(folder, layout)
    assert dataset.classes == ("background", "lesion")
    assert np.unique(dataset.load(dataset.cases[0]).label).tolist() == [0, 1, IGNORED]


def test_a_class_without_a_mask_may_be_absent(tmp_path: Path) -> None:
    folder = chest(tmp_path, lung=ball(BOX, 4), nodule=ball(BOX, 6))
    (folder / "a/nodule.nii.gz").unlink()
    text = CHEST + 'label = "{case}/{class}.nii.gz"\nclasses = ["lung", "nodule"]\n'
    with pytest.raises(
        InputError, match="case a has no file of the class 'nodule'; add it, or say in the layout absent"
    ):
        opened(folder, layout_file(tmp_path, text))
    dataset = opened(folder, layout_file(tmp_path, text + "absent = true"))
    assert [np.unique(dataset.load(case).label).tolist() for case in dataset.cases] == [[0, 1], [0, 1, 2]]


def test_files_that_tell_no_spacing_get_that_of_the_layout(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / f"{name}.tif", intensities(name, SQUARE, np.uint8))
        write(tmp_path / f"{name}-mask.png", ball(SQUARE))
    text = """
    name = "Slides"
    channels = { grey = "{case}.tif" }
    label = "{case}-mask.png"
    classes = { tissue = 255 }
    spacing = [0.5, 0.25]
    """
    dataset = opened(tmp_path, layout_file(tmp_path, text))
    assert dataset.load(dataset.cases[0]).geometry.spacing == (0.5, 0.25)


def test_groups_and_names_are_made_from_placeholders(tmp_path: Path) -> None:
    for patient in ("p1", "p2"):
        for visit in ("v1", "v2"):
            scan(tmp_path / patient / visit / "t1.nii.gz")
            write(tmp_path / "drawn" / f"{visit}_{patient}.nii.gz", labels(BOX))
    text = """
    name = "Visits"
    channels = { T1 = "{patient}/{visit}/t1.nii.gz" }
    label = "drawn/{visit}_{patient}.nii.gz"
    classes = { one = 1, two = 2 }
    case = "{patient}-{visit}"
    group = "{patient}"
    """
    dataset = opened(tmp_path, layout_file(tmp_path, text))
    assert [(case.name, case.group) for case in dataset.cases] == [
        ("p1-v1", "p1"),
        ("p1-v2", "p1"),
        ("p2-v1", "p2"),
        ("p2-v2", "p2"),
    ]


def test_names_of_any_script_and_with_any_signs_are_read(tmp_path: Path) -> None:
    names = ["Ödem [links]", "影像 (1)", "a+b.c"]
    for name in names:
        scan(tmp_path / name / "ct.nii.gz")
        write(tmp_path / name / f"{name} mask.nii.gz", labels(BOX, (0, 1)))
    text = CHEST + 'label = "{case}/{case} mask.nii.gz"\nclasses = { one = 1 }'
    dataset = opened(tmp_path, layout_file(tmp_path, text))
    assert [case.name for case in dataset.cases] == sorted(names)


def test_hidden_files_are_passed_over(tmp_path: Path) -> None:
    acdc(tmp_path)
    (tmp_path / "training/patient001/._patient001_frame01.nii.gz").write_bytes(b"x")
    assert len(open_dataset(tmp_path).cases) == 6


def test_a_folder_that_describes_itself_is_read_as_described(tmp_path: Path) -> None:
    amos22(tmp_path)
    pairs = [
        {"image": f"./imagesTr/{path.name}", "label": f"./labelsTr/{path.name}"}
        for path in sorted((tmp_path / "labelsTr").iterdir())
    ]
    describe(
        tmp_path,
        name="AMOS",
        modality={"0": "CT"},
        labels={str(value): f"organ {value}" for value in range(16)},
        training=pairs,
        validation=[],
    )
    dataset = open_dataset(tmp_path)
    assert (dataset.name, dataset.classes[3]) == ("AMOS", "organ 3")
    assert check(dataset).cases == 3


def removing(path: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).unlink()


def copying(path: str, to: str) -> Callable[[Path], None]:
    def copy(folder: Path) -> None:
        (folder / to).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / path, folder / to)

    return copy


SPOILT: list[tuple[Callable[[Path], None], Callable[[Path], None], list[str]]] = [
    (
        kits23,
        removing("dataset/case_00001/segmentation.nii.gz"),
        ["case_00001/imaging.nii.gz: an image without a label"],
    ),
    (
        kits23,
        removing("dataset/case_00001/imaging.nii.gz"),
        ["case_00001/segmentation.nii.gz: a label without an image"],
    ),
    (brats2021, removing("BraTS2021_00002/BraTS2021_00002_t2.nii.gz"), ["BraTS2021_00002", "lacks the channel 'T2'"]),
    (brats2021, removing("BraTS2021_00002/BraTS2021_00002_t1.nii.gz"), ["BraTS2021_00002", "lacks the channel 'T1'"]),
    (
        totalsegmentator,
        removing("s0001/segmentations/liver.nii.gz"),
        ["s0001", "no file of the class 'liver'", "absent"],
    ),
    (
        lits,
        copying("Training Batch 1/volume-10.nii", "Training Batch 2/volume-10.nii"),
        ["Training Batch 2/volume-10.nii: a second image of case 10", "Training Batch 1/volume-10.nii"],
    ),
    (
        busi,
        lambda folder: write(
            folder / "Dataset_BUSI_with_GT/benign/benign (1)_mask.png", intensities("m", SQUARE, np.uint8)
        ),
        ["benign (1)_mask.png: a mask of one class with values from", "expected 0 and one other"],
    ),
    (
        totalsegmentator,
        lambda folder: write(folder / "s0001/segmentations/liver.nii.gz", ball((18, 17, 5))),
        ["s0001/segmentations/liver.nii.gz", "(18, 17, 5)", "s0001/ct.nii.gz"],
    ),
    (drive, removing("training/1st_manual/22_manual1.gif"), ["22_training.tif: an image without a label"]),
    (
        drive,
        lambda folder: Image.fromarray(intensities("c", PICTURE, np.uint8)).save(
            folder / "training/1st_manual/22_manual1.gif"
        ),
        ["22_manual1.gif", "a label in colours"],
    ),
    (
        drive,
        lambda folder: Image.new("L", SQUARE[::-1]).save(
            folder / "training/1st_manual/22_manual1.gif",
            save_all=True,
            append_images=[Image.new("L", SQUARE[::-1], 9)],
        ),
        ["22_manual1.gif", "2 pictures in one file"],
    ),
]


@pytest.mark.parametrize(("publish", "spoil", "words"), SPOILT)
def test_what_is_missing_or_wrong_is_named(
    publish: Callable[[Path], None], spoil: Callable[[Path], None], words: list[str], tmp_path: Path
) -> None:
    publish(tmp_path)
    spoil(tmp_path)
    with pytest.raises(InputError) as caught:
        check(open_dataset(tmp_path))
    assert all(word in str(caught.value) for word in words), str(caught.value)


@pytest.mark.parametrize(
    ("publish", "lost", "words"),
    [
        (kits23, "segmentation.nii.gz", "dataset/case_00000/imaging.nii.gz is as in KiTS23, but nothing fits"),
        (kits23, "imaging.nii.gz", "dataset/case_00000/segmentation.nii.gz is as in KiTS23, but nothing fits"),
        (totalsegmentator, "*.nii.gz", "holds no data set in a layout that is known"),
    ],
)
def test_half_of_a_published_data_set_is_told_what_it_lacks(
    publish: Callable[[Path], None], lost: str, words: str, tmp_path: Path
) -> None:
    publish(tmp_path)
    for path in tmp_path.rglob(lost):
        path.unlink()
    with pytest.raises(InputError) as caught:
        open_dataset(tmp_path)
    assert words in str(caught.value)


LABEL = 'label = "{case}/label.nii.gz"\n'

UNUSABLE = [
    ("", ["'name'", "found nothing"]),
    ("name = 3", ["'name'", "found 3"]),
    ("name = ", ["cannot be read as TOML"]),
    (f"{CHEST}chanels = {{}}", ["field 'chanels' is unknown", "did you mean 'channels'?"]),
    ('name = "x"', ["'channels'", "found nothing", "a pattern for each channel"]),
    ('name = "x"\nimage = "{case}.png"', ["'channels'", "found nothing", "names of the image's channels"]),
    (CHEST, ["'label'", "either 'label' or 'masks'"]),
    (CHEST + LABEL, ["'classes'", "a value for each class"]),
    (CHEST + LABEL + "classes = { organ = -1 }", ["'classes'", "'organ' with -1"]),
    (CHEST + LABEL + "classes = { organ = true }", ["'classes'", "'organ' with True"]),
    (CHEST + LABEL + "classes = { organ = [] }", ["'classes'", "'organ' with []"]),
    (CHEST + LABEL + "classes = { one = 1, two = [2, 1] }", ["'classes'", "1 twice"]),
    (CHEST + LABEL + 'classes = { one = 1, two = "liver" }', ["'classes'", "both values and names"]),
    (CHEST + LABEL + "classes = { background = 0 }", ["'classes'", "1 classes"]),
    (CHEST + LABEL + 'classes = { one = 1 }\nmasks = { two = "{case}/two.nii.gz" }', ["'label'", "label and masks"]),
    (CHEST + LABEL + 'classes = { one = 1 }\nregions = { all = ["two"] }', ["'regions'", "the class 'two'"]),
    (
        CHEST + LABEL + 'classes = { one = 1, two = 2 }\nregions = { all = ["two"] }',
        ["'regions'", "no region", "'one'"],
    ),
    (CHEST + LABEL + 'classes = { one = 1 }\ncase = "all"', ["'case'", "'all'", "a placeholder"]),
    (CHEST + 'label = "label.nii.gz"\nclasses = { one = 1 }', ["'case'", "no {case} in the pattern 'label.nii.gz'"]),
    (CHEST + LABEL + 'classes = { one = 1 }\ngroup = "{patient}"', ["'group'", "no {patient} in the pattern"]),
    (CHEST + LABEL + "classes = { one = 1 }\nspacing = [1, 0]", ["'spacing'", "[1, 0]", "millimetres"]),
    (CHEST + LABEL + 'classes = { one = 1 }\nspacing = "1"', ["'spacing'", "millimetres"]),
    (CHEST + LABEL + 'classes = { one = 1 }\nlimits = { case = "[9-0]" }', ["'limits'", "[9-0]"]),
    (CHEST + LABEL + 'classes = { one = 1 }\nroots = ["../other"]', ["'roots'", "leaves the folder"]),
    (CHEST + LABEL + "classes = { one = 1 }\nabsent = 1", ["'absent'", "true or false"]),
    (CHEST + 'label = "../{case}.nii.gz"', ["'label'", "leaves the folder", "'../{case}.nii.gz'"]),
    (CHEST + 'label = "/etc/{case}"', ["'label'", "leaves the folder"]),
    (CHEST + 'label = "{Case}.nii.gz"', ["'label'", "a brace that is no placeholder"]),
    (CHEST + 'label = "{case}.nii.gz"\nclasses = { one = 1 }\nname = "y"', ["cannot be read as TOML"]),
]


@pytest.mark.parametrize(("text", "words"), UNUSABLE)
def test_a_layout_that_cannot_be_used_is_refused_by_its_field(text: str, words: list[str], tmp_path: Path) -> None:
    path = layout_file(tmp_path, text)
    with pytest.raises(InputError) as caught:
        open_layout(path)
    message = str(caught.value)
    assert all(word in message for word in [str(path), *words]), message


def test_an_unknown_layout_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found 'kits22'; did you mean 'kits23'"):
        open_layout("kits22")
    with pytest.raises(InputError, match=r"none\.toml: cannot be read \(No such file"):
        open_layout(tmp_path / "none.toml")


def test_a_folder_that_the_layout_does_not_fit_is_refused(tmp_path: Path) -> None:
    acdc(tmp_path)
    with pytest.raises(InputError, match=r"no file fits the pattern '\{case\}/imaging\.nii\.gz' of the layout KiTS23"):
        opened(tmp_path, "kits23")
    with pytest.raises(InputError, match="a layout are for data of files"):
        open_dataset(options=read_options(layout="kits23"))


def test_the_cache_is_built_again_when_the_layout_reads_the_same_files_otherwise(tmp_path: Path) -> None:
    folder = chest(tmp_path, lung=ball(BOX, 4), nodule=ball(BOX, 6))
    digests = set()
    for order in ("lung nodule", "nodule lung"):
        masks = ", ".join(f'{name} = "{{case}}/{name}.nii.gz"' for name in order.split())
        dataset = opened(folder, layout_file(tmp_path, f"{CHEST}masks = {{ {masks} }}"))
        digests.add(prepare_dataset(dataset, plan_preprocessing(check(dataset)), tmp_path / "cache").digest)
    assert len(digests) == 2
