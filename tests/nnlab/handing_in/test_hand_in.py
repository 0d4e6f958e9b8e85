import io
import os
import sys
import zipfile

import nbformat
import pytest
from pypdf import PdfReader

import nnlab.pdf
from nnlab import hand_in
from nnlab.handing_in import NOBODY, steps

FILES = ["round09_1023456.pdf", "derivation.ipynb", "classification.ipynb", "optimisation.ipynb"]
ZIP = "round09_1023456.zip"
ME = {"name": "Ada", "student_number": "1023456"}


@pytest.fixture
def asked(monkeypatch):
    """Answer questions from a list, and return the questions."""
    questions = []

    def set_answers(*answers):
        left = list(answers)

        def ask(question=""):
            questions.append(question.strip())
            answer = left.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setattr("builtins.input", ask)
        return questions

    set_answers()
    return set_answers


def unchanged(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "hand_in" not in path.parts and path.name != ".hand_in.json"
    }


def made(folder):
    return {path.name: path.read_bytes() for path in (folder / "hand_in").iterdir()}


def test_an_answered_round_asks_who_and_writes_all_files(folder, asked, exported, capsys):
    before = unchanged(folder)
    questions = asked("Ada Łovelace", "1023456")
    hand_in(folder=folder)
    assert questions == ["Your name:", "Your student number:"]
    files = made(folder)
    assert set(files) == {*FILES, ZIP}
    with zipfile.ZipFile(io.BytesIO(files[ZIP])) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            name: files[name] for name in FILES
        }
    for name in FILES[1:]:
        assert files[name] == (folder / name).read_bytes()
    assert unchanged(folder) == before
    [(names, title)] = exported
    assert names == ["derivation", "classification", "optimisation"]
    assert (title.name, title.student_number) == ("Ada Łovelace", "1023456")
    assert title.course
    assert title.date
    text = capsys.readouterr().out
    assert "Look at this first" not in text
    assert "these files: round09_1023456.pdf, " in text
    assert "derivation: a formula stands in a box." in text


def test_a_second_run_asks_nothing_and_renews_the_files(folder, asked):
    hand_in(**ME, folder=folder)
    notebook = nbformat.read(folder / "derivation.ipynb", as_version=4)
    notebook.cells[1].source += "\n# more"
    nbformat.write(notebook, folder / "derivation.ipynb")
    hand_in(folder=folder)
    assert set(made(folder)) == {*FILES, ZIP}
    assert made(folder)["derivation.ipynb"] == (folder / "derivation.ipynb").read_bytes()


@pytest.mark.parametrize(
    ("answer", "goes_on"), [("y", True), (" YES ", True), ("", False), ("n", False)]
)
def test_what_is_missing_is_asked_about_once(folder, asked, capsys, answer, goes_on):
    (folder / "optimisation.ipynb").unlink()
    questions = asked(answer)
    hand_in(**ME, folder=folder)
    assert questions == ["Hand in anyway? [y/N]"]
    assert (folder / "hand_in").exists() is goes_on
    assert "  - optimisation.ipynb: it is not here; " in capsys.readouterr().out


def test_ctrl_c_at_a_question_changes_nothing(folder, asked, capsys):
    hand_in(**ME, folder=folder)
    before = made(folder)
    (folder / "optimisation.ipynb").unlink()
    asked(KeyboardInterrupt())
    hand_in(**ME, folder=folder)
    assert made(folder) == before
    assert "Stopped; run this again" in capsys.readouterr().out


@pytest.mark.parametrize("problem", [EOFError(), NotImplementedError("no stdin")])
def test_a_frontend_that_cannot_ask_is_one_line(folder, asked, capsys, problem):
    asked(problem)
    hand_in(folder=folder)
    assert capsys.readouterr().out.splitlines()[-1] == NOBODY
    assert not (folder / "hand_in").exists()


def test_while_it_is_graded_it_prints_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    hand_in("Ada", "no number", scan=3, folder=tmp_path / "nowhere")
    assert capsys.readouterr().out == NOBODY + "\n"


@pytest.mark.parametrize("number", ["../../etc/passwd", "CON", "a/b\\c:1", "1023456\n"])
def test_a_hostile_number_becomes_no_path(folder, asked, capsys, number):
    asked()
    hand_in("Ada", number, folder=folder)
    if number.strip() != "1023456":
        assert "is no student number" in capsys.readouterr().out
        assert not (folder / "hand_in").exists()
    else:
        assert set(made(folder)) == {*FILES, ZIP}


def test_a_folder_without_notebooks_is_one_sentence(tmp_path, capsys):
    hand_in(**ME, folder=tmp_path)
    assert "none of the round's notebooks is here" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_the_scan_is_the_end_of_the_pdf(folder, make_pdf, make_picture, capsys):
    (folder / "scan").mkdir()
    (folder / "scan" / "page10.png").write_bytes(make_picture("PNG"))
    (folder / "scan" / "page9.pdf").write_bytes(make_pdf(2))
    hand_in(**ME, folder=folder)
    reader = PdfReader(io.BytesIO(made(folder)[FILES[0]]))
    assert reader.page_labels == ["1", "2", "scan 1", "scan 2", "scan 3"]
    text = capsys.readouterr().out
    assert "scan: 3 pages, from page9.pdf, page10.png" in text
    assert "5 pages, the last 3 from your scan" in text


@pytest.mark.parametrize("as_list", [True, False])
def test_a_scan_may_be_named(folder, tmp_path, make_pdf, as_list):
    path = tmp_path / "my derivation.pdf"
    path.write_bytes(make_pdf(1))
    hand_in(**ME, scan=[path] if as_list else str(path), folder=folder)
    assert len(PdfReader(io.BytesIO(made(folder)[FILES[0]])).pages) == 3


def test_a_scan_that_cannot_be_used_is_asked_about_and_left_out(folder, asked, make_pdf, capsys):
    (folder / "scan.pdf").write_bytes(make_pdf(user_password="x", algorithm="RC4-128"))
    asked("n")
    hand_in(**ME, folder=folder)
    assert not (folder / "hand_in").exists()
    assert "scan.pdf: it has a password; print it to a new PDF" in capsys.readouterr().out
    asked("y")
    hand_in(**ME, folder=folder)
    assert len(PdfReader(io.BytesIO(made(folder)[FILES[0]])).pages) == 2


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        (0, "name page 2, but there is no scan;"),
        (1, "name page 2, but the scan has 1 page;"),
        (2, None),
    ],
)
def test_answers_that_point_beyond_the_scan_are_told(
    folder, notebooks, asked, make_pdf, capsys, pages, words
):
    cell = next(cell for cell in notebooks["derivation"].cells if cell.id == "stage2-derivation")
    cell.source = "scan, page 2"
    nbformat.write(notebooks["derivation"], folder / "derivation.ipynb")
    if pages:
        (folder / "scan.pdf").write_bytes(make_pdf(pages))
    questions = asked("n")
    hand_in(**ME, folder=folder)
    assert bool(questions) is bool(words)
    assert (words or "these files: round09_1023456.pdf, ") in capsys.readouterr().out


def test_an_export_that_raises_leaves_the_notebooks_and_the_scan(
    folder, make_pdf, monkeypatch, capsys
):
    def burst(*arguments, **options):
        raise RuntimeError("it burst")

    monkeypatch.setattr(nnlab.pdf, "export", burst)
    hand_in(**ME, folder=folder)
    assert set(made(folder)) == {*FILES[1:], ZIP}
    assert (
        "The notebooks' PDF could not be made (RuntimeError: it burst)" in capsys.readouterr().out
    )
    (folder / "scan.pdf").write_bytes(make_pdf(3))
    hand_in(**ME, folder=folder)
    assert len(PdfReader(io.BytesIO(made(folder)[FILES[0]])).pages) == 3


def test_without_pypdf_all_but_the_scan_is_handed_in(folder, asked, make_pdf, monkeypatch, capsys):
    (folder / "scan.pdf").write_bytes(make_pdf(3))
    pdf = make_pdf(1)
    done = nnlab.pdf.Exported(pdf, ())
    monkeypatch.setattr(nnlab.pdf, "export", lambda notebooks, *, title=None: done)
    monkeypatch.setitem(sys.modules, "pypdf", None)
    asked("y")
    hand_in(**ME, folder=folder)
    assert made(folder)[FILES[0]] == pdf
    assert "python -m pip install -r requirements.txt" in capsys.readouterr().out


def test_a_damaged_notebook_is_handed_in_as_it_is(folder, asked, exported):
    (folder / "classification.ipynb").write_bytes(b'{"cells": [')
    asked("y")
    hand_in(**ME, folder=folder)
    assert made(folder)["classification.ipynb"] == b'{"cells": ['
    assert exported[0][0] == ["derivation", "optimisation"]


def test_photos_shrink_until_all_fits(folder, monkeypatch, capsys):
    from PIL import Image

    Image.effect_noise((900, 900), 80).save(folder / "scan.jpg", quality=95)
    hand_in(**ME, folder=folder)
    full = sum(len(made(folder)[name]) for name in FILES)
    monkeypatch.setattr(steps, "SIZES", (steps.SIZES[0], steps.Size(300, 50)))
    monkeypatch.setattr(steps, "LIMIT", full - 1)
    hand_in(folder=folder)
    assert sum(len(made(folder)[name]) for name in FILES) < full - 100_000
    monkeypatch.setattr(steps, "LIMIT", 1000)
    hand_in(folder=folder)
    assert "more than the 1 kB that MyCourses takes: scan again" in capsys.readouterr().out
    assert set(made(folder)) == {*FILES, ZIP}


def test_a_full_disk_is_one_sentence_and_the_earlier_files_stay(folder, monkeypatch, capsys):
    hand_in(**ME, folder=folder)
    before = made(folder)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    hand_in(folder=folder)
    assert capsys.readouterr().out.splitlines()[-1] == (
        "hand_in/round09_1023456.pdf: the disk is full; make room, and run hand_in() again."
    )
    assert made(folder) == before
