"""What a study found, for people: figures, tables and one page that can be mailed.

Read once (`gathering`) into a frozen value (`material`); each figure is a pure function of it to plain values, and of
those to Plotly (`figures`, one file a figure); the sentences on top (`headline`), details of each network (`networks`)
and figures make the page (`page`).
"""

from nas.report.gathering import gather
from nas.report.material import Material

__all__ = ["Material", "gather"]
