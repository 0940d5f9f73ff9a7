"""A picture of a data set before it is trained on: `nas data show`.

Some cases of each kind (`choosing`), drawn (`nas.data.drawing`) on one sheet (`sheet`) that is written as a web page
(`page`) or a picture (`poster`).
"""

from nas.data.showing.sheet import Sheet, make_sheet
from nas.data.showing.writing import write_sheet

__all__ = ["Sheet", "make_sheet", "write_sheet"]
