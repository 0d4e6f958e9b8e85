import io

import nbformat
import pytest
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject, TextStringObject

import nnlab.pdf
from nnlab.handing_in.document import count_pages, export_notebooks, merge
from nnlab.handing_in.notebooks import read_notebooks


def test_the_scan_follows_with_an_outline_entry_and_labels_of_its_own(make_pdf):
    writer = PdfWriter(clone_from=io.BytesIO(make_pdf(2)))
    writer.add_outline_item(title="derivation", page_number=1)
    writer.root_object[NameObject("/Lang")] = TextStringObject("en")
    buffer = io.BytesIO()
    writer.write(buffer)
    merged = PdfReader(io.BytesIO(merge(buffer.getvalue(), make_pdf(2, 842, 595))))
    assert [item["/Title"] for item in merged.outline] == ["derivation", "Exercise 1, scan"]
    assert merged.get_destination_page_number(merged.outline[1]) == 2
    assert merged.page_labels == ["1", "2", "scan 1", "scan 2"]
    assert merged.root_object["/Lang"] == "en"
    assert [round(float(page.mediabox.width)) for page in merged.pages] == [595, 595, 842, 842]


def test_either_part_may_be_missing(make_pdf):
    pdf = make_pdf(3)
    assert merge(pdf, b"") == merge(b"", pdf) == pdf
    assert merge(b"", b"") == b""
    assert count_pages(pdf) == 3


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (RuntimeError("it\nburst"), "RuntimeError: it burst"),
        (ImportError("No module named 'typst'"), "requirements.txt"),
    ],
)
def test_an_export_that_raises_is_told_in_a_sentence(folder, monkeypatch, problem, words):
    def burst(*arguments, **options):
        raise problem

    monkeypatch.setattr(nnlab.pdf, "export", burst)
    exported = export_notebooks(read_notebooks(folder))
    assert exported.pdf == b""
    [line] = exported.told
    assert words in line
    assert "\n" not in line


def test_without_a_readable_notebook_nothing_is_exported(tmp_path, exported):
    (tmp_path / "derivation.ipynb").write_bytes(b"{")
    assert export_notebooks(read_notebooks(tmp_path)).pdf == b""
    assert exported == []


@pytest.mark.filterwarnings("ignore:path is deprecated:DeprecationWarning")  # ziafont's
@pytest.mark.usefixtures("real_export")
def test_the_real_export_takes_what_it_is_given(tmp_path, make_pdf):
    cell = nbformat.v4.new_markdown_cell("# Exercise 1\n\nMy derivation.")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "derivation.ipynb")
    exported = export_notebooks(
        read_notebooks(tmp_path),
        course="Computer Vision",
        round="Exercise round 9",
        name="Ada Łovelace",
        student_number="1023456",
        date="23 November 2026",
    )
    assert exported.told == ()
    merged = PdfReader(io.BytesIO(merge(exported.pdf, make_pdf(2))))
    text = "".join(page.extract_text() for page in merged.pages)
    for words in ("Ada Łovelace", "1023456", "23 November 2026", "My derivation."):
        assert words in text
    assert merged.outline[-1]["/Title"] == "Exercise 1, scan"
    assert merged.root_object["/MarkInfo"]["/Marked"]
    # Its metadata claim PDF/UA, and a photo is none.
    assert b"pdfuaid" in PdfReader(io.BytesIO(exported.pdf)).root_object["/Metadata"].get_data()
    assert "/Metadata" not in merged.root_object
