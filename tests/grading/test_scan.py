"""The scan beside the written answers: what is shown, and what hostile files cost."""

import io
import os
import subprocess
import sys
import tempfile
import zipfile

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.utils import compute_checksum, determine_grade
from PIL import Image
from pypdf import PdfWriter
from traitlets.config import Config

from coursekit.grading import scan_process
from coursekit.grading.scan import LeaveOutScan, ShowScan, is_scan, shown_pages
from coursekit.grading.scan_drawing import MOST_PAGES, SIZES
from coursekit.grading.scan_files import (
    NAMED_NOTEBOOK,
    NAMED_OTHERWISE,
    NAMED_SCAN,
    Candidate,
    find_candidates,
)
from coursekit.grading.scan_process import draw_scan
from nnlab.handing_in.document import merge
from nnlab.pdf import Title, export


def pdf(*sizes, password=None):
    """Make a PDF of blank pages of these sizes."""
    writer, buffer = PdfWriter(), io.BytesIO()
    for size in sizes:
        writer.add_blank_page(*size)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(buffer)
    return buffer.getvalue()


def picture(size=(40, 60), kind="PNG", mode="RGB"):
    """Make a blank picture."""
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, kind)
    return buffer.getvalue()


def zipped(*files):
    """Make a zip of names and contents."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files:
            archive.writestr(name, data)
    return buffer.getvalue()


A4, WIDE = (595, 842), (842, 595)
TYPED = new_notebook(cells=[new_markdown_cell("Typed", id="a")])
PRINTED = export([("derivation", TYPED, None)], title=Title(name="Anna")).pdf


def drawn(data, name="scan.pdf", rank=NAMED_SCAN):
    """Draw one file."""
    return draw_scan([Candidate(name, rank, data)])


def size_of(page):
    """Give the width and height of a page's picture."""
    return Image.open(io.BytesIO(page.jpeg)).size


def test_of_the_pdf_that_hand_in_makes_only_the_pages_of_the_scan_are_shown():
    handed_in = merge(pdf(A4, A4, A4), pdf(WIDE, A4))
    files = [
        Candidate("derivation.pdf", NAMED_NOTEBOOK, pdf(A4)),
        Candidate("round09_1.pdf", NAMED_OTHERWISE, handed_in),
        Candidate("scan.pdf", NAMED_SCAN, pdf(WIDE)),
    ]
    found = draw_scan(files)
    assert [page.number for page in found.pages] == [1, 2]
    assert (found.used, found.problems) == ({1}, [])
    (wide, tall) = map(size_of, found.pages)
    assert wide[0] == tall[1] == SIZES[0][0]
    assert wide[0] > wide[1]


def test_pdf_of_notebooks_alone_is_no_scan():
    named = "round09_1.pdf", NAMED_OTHERWISE
    found = drawn(PRINTED, *named)
    assert found.pages == []
    assert found.problems == ["round09_1.pdf: it holds notebooks, and no scan behind them."]
    assert len(drawn(merge(PRINTED, pdf(A4, A4)), *named).pages) == 2
    assert len(drawn(PRINTED, "scan.pdf", NAMED_SCAN).pages) == 1


def test_of_other_files_those_with_the_likeliest_names_are_shown():
    files = [
        Candidate("classification.pdf", NAMED_NOTEBOOK, pdf(A4)),
        Candidate("photos/1.png", NAMED_SCAN, picture()),
        Candidate("photos/2.tif", NAMED_SCAN, picture(kind="TIFF", mode="LA")),
        Candidate("notes.pdf", NAMED_OTHERWISE, pdf(A4)),
    ]
    found = draw_scan(files)
    assert ([page.number for page in found.pages], found.used) == ([1, 2], {1, 2})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pdf(A4, password="secret"), "password"),
        (pdf(A4)[:200], "damaged"),
        (pdf(), "no pages|damaged"),
        (b"<html>not a PDF", "neither a PDF nor a picture"),
        (picture()[:60], "neither|damaged"),
        (picture((20_000, 20_000), mode="1"), "too many pixels"),
    ],
    ids=["password", "truncated", "no pages", "web page", "half a picture", "bomb"],
)
def test_file_that_cannot_be_drawn_costs_one_sentence(data, words):
    good = Candidate("2.png", NAMED_SCAN, picture())
    found = draw_scan([Candidate("1.pdf", NAMED_SCAN, data), good])
    assert found.used == {1}
    (problem,) = found.problems
    assert problem.startswith("1.pdf: it ")
    assert any(word in problem for word in words.split("|"))


def test_pages_are_limited_in_number_and_size():
    found = drawn(pdf((283_000, 283_000), *[A4] * 2000))
    assert len(found.pages) == MOST_PAGES
    assert found.problems == [
        f"{2001 - MOST_PAGES} more pages are not shown; open the file itself."
    ]
    assert size_of(found.pages[0]) == (SIZES[0][0],) * 2


def test_process_that_does_not_end_costs_the_pages_only(monkeypatch):
    monkeypatch.setattr(scan_process, "PATIENCE", 0.01)
    found = drawn(pdf(A4))
    assert (found.pages, len(found.problems)) == ([], 1)
    assert "ended before the first page: it took longer" in found.problems[0]


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b'{"file": 7, "page": 1, "jpeg": "/9j/"}',
        b'{"file": 0, "page": 1, "jpeg": "<script>"}',
        b'{"file": 0, "page": {}, "jpeg": "/9j/"}',
        b"[" * 100_000,
    ],
)
def test_what_a_taken_over_process_says_is_not_believed(monkeypatch, line):
    def says(asked, output, work, sandboxed):
        output.write(line + b"\n")
        return "of no matter"

    monkeypatch.setattr(scan_process, "_run", says)
    assert drawn(b"").pages == []


def test_drawing_process_is_locked_in():
    code = (
        "import sys, socket; from coursekit.grading import scan_drawing as drawing\n"
        "drawing._Locked().enter(drawing.LIMITS, sys.argv[1])\n"
        "for path in (drawing.__file__, '/etc/passwd'):\n"
        "    try: print(open(path).read())\n"
        "    except OSError as problem: print(type(problem).__name__)\n"
        "try: print(socket.socket())\n"
        "except OSError as problem: print(type(problem).__name__)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with tempfile.TemporaryDirectory() as work:  # pytest's own can be reached by its owner only
        ran = subprocess.run(
            [sys.executable, "-P", "-c", code, work],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    first, second, third = ran.stdout.splitlines()
    assert first == second == "PermissionError"
    assert third in ("OSError", "PermissionError")


def test_candidates_lie_in_folders_and_zips_in_natural_order(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "page10.jpg").write_bytes(b"10")
    (tmp_path / "photos" / "page2.jpg").write_bytes(b"2")
    (tmp_path / "photos" / "page1.HEIC").write_bytes(b"1")
    (tmp_path / ".hidden.pdf").write_bytes(b"hidden")
    (tmp_path / "derivation.pdf").write_bytes(b"print")
    (tmp_path / "link.pdf").symlink_to("/etc/passwd")
    (tmp_path / "broken.zip").write_bytes(b"PK")
    with zipfile.ZipFile(tmp_path / "round09_1.zip", "w") as archive:
        archive.writestr("round09_1.pdf", b"handed in")
        archive.writestr("copy.pdf", b"print")
    found = find_candidates(tmp_path, ["derivation"])
    assert [(file.name, file.rank) for file in found.files] == [
        ("derivation.pdf", NAMED_NOTEBOOK),
        ("photos/page2.jpg", NAMED_SCAN),
        ("photos/page10.jpg", NAMED_SCAN),
        ("round09_1.zip/round09_1.pdf", NAMED_OTHERWISE),
    ]
    assert sorted(problem.partition(":")[0] for problem in found.problems) == [
        "broken.zip",
        "photos/page1.HEIC",
    ]


BLANK = "Your answer"


def answers(text):
    """Make a graded notebook with one written answer."""
    role = {"grade": True, "solution": True, "grade_id": "stage3-derivation", "points": 2}
    cells = [
        new_markdown_cell("# Stage 3", id="stage3-text"),
        new_markdown_cell(BLANK, id="coursekit-scan", metadata={"nbgrader": role}),
    ]
    cells[1].metadata.nbgrader.checksum = compute_checksum(cells[1])
    cells[1].source = text
    return new_notebook(cells=cells)


@pytest.fixture
def show(tmp_path):
    """Function: show the scan of a student who handed in these files beside an answer."""
    folder = tmp_path / "submitted" / "anna" / "round09"
    folder.mkdir(parents=True)

    def show(files, text="scan, page 1", notebook="derivation"):
        for name, data in files.items():
            (folder / name).write_bytes(data)
        config = Config()
        config.CourseDirectory.root = str(tmp_path)
        config.ShowScan.notebooks = ["derivation"]
        names = {"student": "anna", "assignment": "round09", "notebook": notebook}
        return ShowScan(config=config).preprocess(answers(text), {"nbgrader": names})[0]

    return show


def test_scan_stands_above_the_first_answer_and_names_are_no_markup(show):
    notebook = show({"scan ~~~ <b>.pdf": pdf(A4, A4)}, "scan, page 2 and scan, page 5")
    text, scan, answer = notebook.cells
    assert (text.id, answer.id, is_scan(scan)) == ("stage3-text", "coursekit-scan", True)
    assert scan.id != answer.id
    assert shown_pages(scan) == [1, 2]
    assert "nbgrader" not in scan.metadata
    told = scan.source.partition("~~~text\n")[2].partition("\n~~~\n")[0]
    assert told.splitlines() == [
        "- scan ~~~ <b>.pdf: shown.",
        "- The answers name scan page 5, which is not here.",
    ]


@pytest.mark.parametrize(
    ("files", "score"),
    [
        ({}, 0),
        ({"round09_1.pdf": PRINTED}, 0),
        ({"scan.pdf": pdf(A4)}, None),
        ({"scan.pdf": b"damaged"}, None),
        ({"IMG_1.HEIC": b"photo"}, None),
        ({"scan.docx": b"text"}, None),
        ({"all.zip": zipped(("scan.zip", zipped(("1.jpg", b"photo"))))}, None),
    ],
    ids=["none", "notebooks", "scan", "damaged", "HEIC", "text", "zip in zip"],
)
def test_blank_answer_beside_a_scan_is_for_a_person(show, files, score):
    """By itself nbgrader gives a blank answer 0 points; but it may stand in the scan."""
    assert determine_grade(show(files, BLANK).cells[-1])[0] == score


def test_feedback_is_without_the_scan(show):
    notebook = show({"scan.pdf": pdf(A4)})
    kept, _ = LeaveOutScan().preprocess(notebook, {})
    assert [cell.id for cell in kept.cells] == ["stage3-text", "coursekit-scan"]


def test_nothing_is_drawn_where_there_is_no_scan(show, monkeypatch):
    monkeypatch.setattr(scan_process, "draw_scan", None)
    assert len(show({"derivation.ipynb": b"{}"}, "typed").cells) == 2
    assert len(show({"scan.pdf": pdf(A4)}, notebook="optimisation").cells) == 2


def test_answer_in_a_scan_that_was_not_handed_in_is_told(show):
    scan = show({}).cells[1]
    assert "The answers name scan page 1, which is not here." in scan.source
