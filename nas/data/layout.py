"""Where the files of a data set lie and what its labels mean, told by patterns in a small TOML file.

The shipped ones, one a file, are in `nas/data/layouts/`; `docs/data.md` shows how to write another. A layout is data
alone: nothing in it is executed.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn

from nas.data.dataset import Region
from nas.data.labels import IGNORE, LARGEST, Labels
from nas.data.patterns import placeholders, problem_of
from nas.errors import InputError, did_you_mean

FOLDER = Path(__file__).parent / "layouts"
BACKGROUND = "background"
CLASS = "class"
"""The placeholder whose text names the class that a mask shows."""

Meaning = tuple[int, ...] | tuple[str, ...]
"""What stands for a class in label files: values, or the names of segments and structures."""


@dataclass(frozen=True)
class Layout:
    """How a data set lies on disk.

    Patterns are tuples of alternatives, all of which count. images: one a channel, or a single one whose files hold
    all `channels`. label: files that hold a class for every voxel, or those named {class} that hold a mask each.
    classes: what stands for each class in those files; empty with {class} where all that are found are meant.
    masks: the files of a class each, in the order in which they are painted over each other. case and group: what
    their names are made from. limits: what the text of a placeholder looks like. roots: folders below the user's in
    which patterns may begin. spacing: mm along the axes of files that tell none. absent: whether a class without a
    mask is absent from that case, and a case without any label shows nothing.
    """

    name: str
    images: tuple[tuple[str, ...], ...]
    channels: tuple[str, ...]
    label: tuple[str, ...] = ()
    classes: tuple[tuple[str, Meaning], ...] = ()
    masks: tuple[tuple[str, tuple[str, ...]], ...] = ()
    regions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    case: str = "{case}"
    group: str = ""
    limits: tuple[tuple[str, str], ...] = ()
    roots: tuple[str, ...] = (".",)
    spacing: tuple[float, ...] = ()
    absent: bool = False
    about: str = ""

    @property
    def one_a_class(self) -> bool:
        """Whether there is a label file for each class, whose name tells the class."""
        return any(CLASS in placeholders(pattern) for pattern in self.label)

    @property
    def by_name(self) -> bool:
        """Whether classes are told by names of segments or structures inside the label files."""
        named = any(isinstance(value, str) for _, meaning in self.classes for value in meaning)
        return named and not self.one_a_class

    @property
    def in_words(self) -> str:
        """The layout in one line: its name and what its files are called."""
        label = self.label[0] if self.label else self.masks[0][1][0]
        return f"{self.name}: {self.images[0][0]} with {label}"

    def labels(self, stored: Sequence[str] = ()) -> Labels:
        """The classes and what stands for them in a label, the masks numbered from 1; of {class}, those `stored`."""
        if self.masks:
            names = [name for name, _ in self.masks]
        elif self.by_name or self.one_a_class:
            names = [name for name, _ in self.classes] or list(stored)
        else:
            return self._labels_of([(name, meaning) for name, meaning in self.classes])
        return self._labels_of([(name, (value,)) for value, name in enumerate(names, start=1)])

    def _labels_of(self, classes: Sequence[tuple[str, Any]]) -> Labels:
        known = [(name, values) for name, values in classes if name != IGNORE]
        background = next((name for name, values in known if 0 in values), None)
        if background is None:
            known.insert(0, (BACKGROUND, (0,)))
        known.sort(key=lambda pair: 0 not in pair[1])
        names = [name for name, _ in known]
        ignored = next((values[0] for name, values in classes if name == IGNORE), None)
        regions = tuple(Region(name, tuple(names.index(part) for part in parts)) for name, parts in self.regions)
        return Labels(tuple(names), tuple(values for _, values in known), ignored, regions)

    def to_json(self) -> dict[str, Any]:
        """The fields of the TOML file, as values that JSON has."""
        fields: dict[str, Any] = {"name": self.name}
        if len(self.images) == 1 and len(self.channels) != 1:
            fields |= {"image": list(self.images[0]), "channels": list(self.channels)}
        else:
            fields["channels"] = {name: list(files) for name, files in zip(self.channels, self.images, strict=True)}
        fields |= {
            "label": list(self.label),
            "classes": {name: list(meaning) for name, meaning in self.classes},
            "masks": {name: list(files) for name, files in self.masks},
            "regions": {name: list(parts) for name, parts in self.regions},
            "case": self.case,
            "group": self.group,
            "limits": dict(self.limits),
            "roots": list(self.roots),
            "spacing": list(self.spacing),
            "absent": self.absent,
            "about": self.about,
        }
        return {name: value for name, value in fields.items() if value not in ([], {}, "", False)}

    @classmethod
    def from_json(cls, document: Mapping[str, Any], source: str = "layout") -> "Layout":
        """The layout that the fields of a TOML file describe.

        Args:
            document: as `to_json` gives it, or as it is read from the file.
            source: what an error says the fields are from.

        Raises:
            InputError: a field is unknown, missing or not usable.
        """
        return _Fields(document, source).layout()


def open_layout(source: "str | Path | Layout") -> Layout:
    """A layout by the name of a shipped one, or from a TOML file.

    Raises:
        InputError: there is no such, or it is not usable.
    """
    if isinstance(source, Layout):
        return source
    path = Path(source)
    if path.suffix != ".toml":
        shipped = shipped_layouts()
        if str(source) not in shipped:
            advice = did_you_mean(str(source), shipped, f"a TOML file, or one of {', '.join(shipped)}")
            raise InputError(f"layout: found {str(source)!r}; {advice}")
        return shipped[str(source)]
    try:
        with path.open("rb") as file:
            return Layout.from_json(tomllib.load(file), str(path))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); give the TOML file of a layout") from error
    except ValueError as error:  # also what is not UTF-8
        raise InputError(f"{path}: cannot be read as TOML ({error}); correct it") from error


@cache
def shipped_layouts() -> dict[str, Layout]:
    """The layouts that come with nas, by the names of their files."""
    return {path.stem: open_layout(path) for path in sorted(FOLDER.glob("*.toml"))}


class _Fields:
    """The fields of a layout's file, each read with an error that names it."""

    def __init__(self, document: Mapping[str, Any], source: str) -> None:
        self._document, self._source = document, source

    def layout(self) -> Layout:
        for name in self._document:
            if name not in _KNOWN:
                raise InputError(f"{self._source}: field '{name}' is unknown; {did_you_mean(name, _KNOWN)}")
        name, (images, channels) = self._name(), self._images()
        layout = Layout(
            name=name,
            images=images,
            channels=channels,
            label=self._patterns("label", self._document.get("label", [])),
            classes=self._classes(),
            masks=self._masks(),
            regions=self._regions(),
            case=self._text("case", "{case}", 'what names of cases are made from, as "{patient}_{visit}"'),
            group=self._text("group", "", 'what names of groups are made from, as "{patient}"'),
            limits=tuple(self._table("limits", str, 'as {frame = "[0-9][0-9]"}').items()),
            roots=tuple(self._list("roots", self._document.get("roots", ["."]), str, 'folders, as [".", "data"]')),
            spacing=self._spacing(),
            absent=self._flag("absent"),
            about=self._text("about", "", "a sentence on the data set"),
        )
        self._check(layout)
        return layout

    def _name(self) -> str:
        expected = 'the name of the data set, as "KiTS23"'
        return self._text("name", "", expected) or self._fail("name", "nothing", expected)

    def _images(self) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
        channels = self._document.get("channels")
        if "image" in self._document:
            names = self._list("channels", channels, str, 'the names of the image\'s channels, as ["red", "green"]')
            return (self._patterns("image", self._document["image"]),), tuple(names)
        table = self._table("channels", object, 'a pattern for each channel, as {CT = "{case}/ct.nii.gz"}')
        if not table:
            self._fail("channels", "nothing", 'a pattern for each channel, as {CT = "{case}/ct.nii.gz"}')
        return tuple(self._patterns("channels", value) for value in table.values()), tuple(table)

    def _patterns(self, field: str, value: Any) -> tuple[str, ...]:
        expected = 'a pattern such as "{case}/ct.nii.gz", or a list of them'
        patterns = self._list(field, [value] if isinstance(value, str) else value, str, expected)
        for pattern in patterns:
            problem = problem_of(pattern)
            if problem:
                self._fail(field, f"{problem} in {pattern!r}", 'a path inside the folder, as "{case}/ct.nii.gz"')
        return tuple(patterns)

    def _classes(self) -> tuple[tuple[str, Meaning], ...]:
        expected = "a label value or several, or the name of a segment, as {liver = 1, lesion = [2, 255]}"
        value = self._document.get("classes", {})
        if isinstance(value, list):  # of {class}: which are taken, in their order
            return tuple((name, (name,)) for name in self._list("classes", value, str, "names of classes"))
        classes = []
        for name, meaning in self._table("classes", object, expected).items():
            values = meaning if isinstance(meaning, list) else [meaning]
            numbers = all(type(entry) is int and entry >= 0 for entry in values)
            if not values or not (numbers or all(isinstance(entry, str) and entry for entry in values)):
                self._fail("classes", f"{name!r} with {meaning!r}", expected)
            classes.append((name, tuple(values)))
        return tuple(classes)

    def _masks(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        table = self._table("masks", object, 'patterns by class, as {liver = "{case}/liver.nii.gz"}')
        return tuple((name, self._patterns("masks", value)) for name, value in table.items())

    def _regions(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        expected = 'classes by region, as {whole = ["core", "oedema"]}'
        table = self._table("regions", list, expected)
        return tuple((name, tuple(self._list("regions", parts, str, expected))) for name, parts in table.items())

    def _spacing(self) -> tuple[float, ...]:
        expected = "millimetres along the axes of a file, as [0.7, 0.7, 5]"
        spacing = self._list("spacing", self._document.get("spacing", []), (int, float), expected)
        if spacing and (not 2 <= len(spacing) <= 3 or not all(0 < step < 1e6 for step in spacing)):
            self._fail("spacing", str(spacing), expected)
        return tuple(float(step) for step in spacing)

    def _check(self, layout: Layout) -> None:
        ways = [name for name in ("label", "masks") if getattr(layout, name)]
        if len(ways) != 1:
            self._fail("label", " and ".join(ways) or "nothing", "either 'label' or 'masks'")
        if layout.masks and layout.classes:
            self._fail("classes", "names beside 'masks'", "the classes in 'masks', in the order of painting")
        if layout.label and not layout.classes and not layout.one_a_class:
            self._fail("classes", "nothing", "a value for each class, as {background = 0, liver = 1}")
        if layout.one_a_class and any(isinstance(value, int) for _, values in layout.classes for value in values):
            self._fail("classes", "values", 'the names that {class} stands for, as ["liver", "spleen"]')
        self._check_classes(layout)
        self._check_placeholders(layout)

    def _check_classes(self, layout: Layout) -> None:
        meant = [meaning for _, meaning in layout.classes]
        values = list(chain.from_iterable(meant))
        if len({type(value) for value in values}) > 1:
            self._fail("classes", "both values and names", "either of them")
        if len(set(values)) < len(values):
            self._fail("classes", f"{_twice(values)!r} twice", "every value once")
        if layout.by_name and IGNORE in dict(layout.classes):
            self._fail("classes", f"{IGNORE!r} with a name", "a value for voxels of unknown class")
        declared = [*layout.classes, *layout.masks]
        self._check_regions(layout, [name for name, meaning in declared if name != IGNORE and 0 not in meaning])
        count = len(layout.labels(["any"]).classes)
        if not 2 <= count <= LARGEST:
            self._fail("classes", f"{count} classes", f"2 to {LARGEST}, the background among them")

    def _check_regions(self, layout: Layout, classes: Sequence[str]) -> None:
        parts = [part for _, region in layout.regions for part in region]
        for name in parts:
            if name not in classes:
                self._fail("regions", f"the class {name!r}", f"classes that are declared: {', '.join(classes)}")
        for name in classes if layout.regions else ():
            if name not in parts:
                self._fail("regions", f"no region that holds the class {name!r}", "every class in at least one")

    def _check_placeholders(self, layout: Layout) -> None:
        needed = placeholders(layout.case)
        if not needed:
            self._fail("case", repr(layout.case), 'a placeholder, as "{case}"')
        for pattern in chain(*layout.images, layout.label, *(files for _, files in layout.masks)):
            for name in needed:
                if name not in placeholders(pattern):
                    self._fail(
                        "case", f"no {{{name}}} in the pattern {pattern!r}", "what names the case in all patterns"
                    )
        for pattern in layout.images[0]:
            for name in placeholders(layout.group):
                if name not in placeholders(pattern):
                    self._fail("group", f"no {{{name}}} in the pattern {pattern!r}", "a placeholder of the images")
        for root in layout.roots:
            problem = problem_of(root)
            if problem or placeholders(root):
                self._fail("roots", f"{problem or 'a placeholder'} in {root!r}", 'folders, as [".", "data"]')
        for name, limit in layout.limits:
            if problem_of(limit) or "/" in limit or placeholders(limit):
                self._fail("limits", f"{name} = {limit!r}", 'a shell\'s pattern, as "[0-9][0-9]"')

    def _expect(self, field: str, names: Sequence[str], patterns: Iterable[str], expected: str) -> None:
        for pattern in patterns:
            for name in names:
                if name not in placeholders(pattern):
                    self._fail(field, f"no {{{name}}} in the pattern {pattern!r}", expected)

    def _text(self, field: str, default: str, expected: str) -> str:
        value = self._document.get(field, default)
        return value if isinstance(value, str) else self._fail(field, _shortened(value), expected)

    def _flag(self, field: str) -> bool:
        value = self._document.get(field, False)
        return value if isinstance(value, bool) else self._fail(field, _shortened(value), "true or false")

    def _table(self, field: str, kind: type, expected: str) -> dict[str, Any]:
        value = self._document.get(field, {})
        if not isinstance(value, dict) or not all(isinstance(entry, kind) and name for name, entry in value.items()):
            self._fail(field, _shortened(value), expected)
        return dict(value)

    def _list(self, field: str, value: Any, kind: Any, expected: str) -> list[Any]:
        fits = isinstance(value, list) and all(isinstance(entry, kind) and type(entry) is not bool for entry in value)
        if not fits or (len(set(value)) < len(value) and kind is str):
            self._fail(field, _shortened(value), expected)
        return list(value)

    def _fail(self, field: str, value: str, expected: str) -> NoReturn:
        raise InputError(f"{self._source}: field '{field}': found {value}; expected {expected}")


_KNOWN = (
    "name",
    "about",
    "image",
    "channels",
    "label",
    "classes",
    "masks",
    "regions",
    "case",
    "group",
    "limits",
    "roots",
    "spacing",
    "absent",
)


def _twice(values: Sequence[Any]) -> Any:
    return next(value for index, value in enumerate(values) if value in values[:index])


def _shortened(value: Any) -> str:
    text = repr(value) if value is not None else "nothing"
    return text if len(text) <= 80 else f"{text[:77]}..."
