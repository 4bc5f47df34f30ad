"""Every notebook runs from top to bottom, as its reader would run it."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.filterwarnings("default")  # Jupyter's own warnings are not ours
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path):
    notebook = nbformat.read(path, as_version=4)
    hasty = ("JAX_DISABLE_MOST_OPTIMIZATIONS", "XLA_FLAGS")  # what suits other tests trains slowly
    as_its_reader = {name: value for name, value in os.environ.items() if name not in hasty}
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(env=as_its_reader)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_with_its_outputs(path):
    cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert any("image/png" in out.get("data", {}) for cell in cells for out in cell.outputs)
