"""The tutorial runs from its first cell to its last in a kernel of its own, and shows what it says."""

import json
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

TUTORIAL = Path(__file__).parent.parent.parent / "docs" / "tutorial.ipynb"


def shown(notebook: Any) -> list[dict[str, str]]:
    """What the cells show, by kind."""
    return [output["data"] for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output]


@pytest.mark.filterwarnings("default")  # the kernel's own are not ours
def test_the_tutorial_runs_and_shows_what_it_says(tmp_path: Path) -> None:
    notebook = nbformat.read(TUTORIAL, as_version=4)
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    kinds = [set(output) for output in shown(notebook)]
    assert sum("image/svg+xml" in kind for kind in kinds) == 2
    pages = [output["text/html"] for output in shown(notebook) if "text/html" in output]
    assert any("2 of 2 networks" in text for text in pages)
    assert any("Tiny U-Net" in text and "<table>" in text for text in pages)
    assert sum("data:image/png;base64," in text for text in pages) == 2
    assert (tmp_path / "best" / "model.py").is_file()


def test_the_tutorial_is_kept_without_outputs() -> None:
    document = json.loads(TUTORIAL.read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in document["cells"])
