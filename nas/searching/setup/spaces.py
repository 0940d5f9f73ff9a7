"""The space of a study, from what the user names or what is installed: never from the database."""

from nas.architecture import EncoderDecoder
from nas.catalog import load_space, space_names
from nas.errors import InputError, field_named
from nas.searching.references import alone
from nas.space import Space
from nas.study.settings import StudySettings


def space_of(settings: StudySettings, space: str | None) -> Space[EncoderDecoder]:
    """The space of a study; code is loaded from what the user names, or what is installed.

    Raises:
        InputError: it is not the study's.
    """
    named = load_space(space or _installed(settings.space))
    searched = named
    if settings.plan["reference"] is not None:
        searched = alone(named, settings.plan["reference"], settings.plan["rungs"])
    if searched.digest() != settings.space_digest:
        raise InputError(
            f"{field_named('space')}: {space or settings.space} is not the space of study {settings.name!r} "
            f"(digest {searched.digest()[:12]}, "
            f"stored {settings.space_digest[:12]}); give the same file, or widen the study with nas search first"
        )
    return named


def _installed(name: str) -> str:
    if name not in space_names():
        raise InputError(
            f"the study's space {name!r} is a file of its maker; give the same file as "
            f"{field_named('space')}: ./mine.py"
        )
    return name
