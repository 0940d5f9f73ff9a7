"""Searching a space on a data set, and reading what was found."""

from nas.searching.found import FoundNetwork, FoundStudy, open_study
from nas.searching.search import search
from nas.searching.settings import SearchSettings

__all__ = ["FoundNetwork", "FoundStudy", "SearchSettings", "open_study", "search"]
