"""The exporter among nbconvert's own."""

import logging

import nbformat
from nbconvert.exporters import get_exporter
from nbformat.v4 import new_markdown_cell, new_notebook
from traitlets.config import Config

from nnlab.pdf import Title
from nnlab.pdf.exporter import TypstPDFExporter, title_of


def test_nbconvert_and_jupyterlab_find_it():
    assert get_exporter("typstpdf") is TypstPDFExporter
    assert TypstPDFExporter.export_from_notebook == "PDF (Typst)"


def test_it_writes_a_pdf_beside_a_notebook_and_tells_what_is_boxed(tmp_path, caplog):
    path = tmp_path / "answers.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("$\\oops$ ![x](gone.png)")]), path)
    exporter = TypstPDFExporter(config=Config(TypstPDFExporter={"paper": "us-letter"}))
    with caplog.at_level(logging.WARNING):
        pdf, resources = exporter.from_filename(str(path))
    assert pdf.startswith(b"%PDF")
    assert resources["output_extension"] == ".pdf"
    assert "answers, cell 1: Formula: \\oops is not known." in caplog.text
    assert "answers, cell 1: Picture 'x': there is no such file." in caplog.text


def test_the_title_comes_from_the_metadata():
    notebook = new_notebook(
        metadata={
            "title": "T",
            "authors": [{"name": "A"}, "B"],
            "nnlab": {"student_number": 7, "odd": 1},
        }
    )
    assert title_of(notebook) == Title(round="T", name="A, B", student_number="7")
    assert title_of(new_notebook()) is None
    assert title_of({"metadata": {"authors": 3, "nnlab": "x"}}) is None
