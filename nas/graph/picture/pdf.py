"""Pictures as PDF, through svglib: `pip install 'nas[pdf]'`."""

from io import BytesIO, StringIO

from nas.errors import InputError


def pdf(picture: str) -> bytes:
    """The PDF of a picture in SVG; its text stays text.

    Raises:
        InputError: svglib is not installed.
    """
    try:
        from reportlab.graphics import renderPDF
        from svglib.svglib import svg2rlg
    except ImportError as error:
        raise InputError(f"PDF needs svglib ({error}); install it: pip install 'nas[pdf]', or write SVG") from error
    drawing = svg2rlg(StringIO(picture))
    file = BytesIO()
    renderPDF.drawToFile(drawing, file)
    return file.getvalue()
