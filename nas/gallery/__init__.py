"""A space as a page: every choice with what it means, every published network with its drawing, cost and source.

Choices are read off the template and the docstrings of its parts (`choices`), members off their graphs (`members`);
`page` writes them as HTML.
"""

from nas.gallery.page import page
from nas.gallery.writing import write_page

__all__ = ["page", "write_page"]
