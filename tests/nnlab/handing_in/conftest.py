import copy
import io
from pathlib import Path

import nbformat
import pytest
from PIL import Image
from pypdf import PdfWriter

import nnlab.pdf
from nnlab.handing_in.cells import CODE_STUB, TEXT_STUB

ROOT = Path(__file__).parents[3]
REAL_EXPORT = nnlab.pdf.export


@pytest.fixture(scope="session")
def released():
    """The notebooks as students get them, by name."""
    paths = (ROOT / "release" / "round09").glob("*.ipynb")
    return {path.stem: nbformat.read(path, as_version=4) for path in paths}


@pytest.fixture(scope="session")
def answered(released):
    """The notebooks with an answer in each cell, run from top to bottom."""
    notebooks = copy.deepcopy(released)
    for notebook in notebooks.values():
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for count, cell in enumerate(code, start=1):
            cell.execution_count = count
            cell.source = CODE_STUB.sub("pass  #", cell.source)
        for cell in notebook.cells:
            cell.source = TEXT_STUB.sub("an answer", cell.source)
    return notebooks


@pytest.fixture
def notebooks(answered):
    """A copy of the answered notebooks, to be changed."""
    return copy.deepcopy(answered)


@pytest.fixture
def folder(tmp_path, answered):
    """A student's folder with the three notebooks, answered."""
    for name, notebook in answered.items():
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    return tmp_path


@pytest.fixture
def make_pdf():
    """Return a PDF of blank pages, perhaps encrypted."""

    def make(pages=1, width=595, height=842, **encryption):
        writer = PdfWriter()
        for _ in range(pages):
            writer.add_blank_page(width=width, height=height)
        if encryption:
            writer.encrypt(**encryption)
        buffer = io.BytesIO()
        writer.write(buffer)
        return buffer.getvalue()

    return make


@pytest.fixture
def make_picture():
    """Return a picture of one colour as a file."""

    def make(kind="JPEG", mode="RGB", size=(60, 40), color=128, **options):
        buffer = io.BytesIO()
        Image.new(mode, size, color).save(buffer, kind, **options)
        return buffer.getvalue()

    return make


@pytest.fixture
def real_export(exported, monkeypatch):
    """Export for real."""
    monkeypatch.setattr(nnlab.pdf, "export", REAL_EXPORT)


@pytest.fixture(autouse=True)
def exported(monkeypatch, make_pdf):
    """Stand in for the slow export; returns the list of what was exported."""
    calls = []

    def export(notebooks, *, title=None):
        calls.append(([name for name, _, _ in notebooks], title))
        writer = PdfWriter(clone_from=io.BytesIO(make_pdf(2)))
        writer.add_outline_item(title="derivation", page_number=0)
        buffer = io.BytesIO()
        writer.write(buffer)
        return nnlab.pdf.Exported(buffer.getvalue(), ("derivation: a formula stands in a box.",))

    monkeypatch.setattr(nnlab.pdf, "export", export)
    return calls
