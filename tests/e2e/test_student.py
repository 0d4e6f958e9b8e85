"""What a student does, in a real browser, with the notebooks as they are released."""

import io

import pytest
from pypdf import PdfReader, PdfWriter

NOTEBOOKS = ["derivation", "classification", "optimisation"]
LOG_SOFTMAX = """def log_softmax(z2):
    shifted = z2 - z2.max(axis=0)
    return shifted - np.log(np.exp(shifted).sum(axis=0))"""
NAIVE = """def log_softmax(z2):
    return z2 - np.log(np.exp(z2).sum(axis=0))"""
CHECK = '"log_softmax of equal logits"'


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_released_notebook_runs_to_its_end_and_says_what_is_missing(notebook, name):
    """Running all cells of a blank notebook ends in the question of hand_in()."""
    lab = notebook(f"{name}.ipynb")
    lab.run_all()
    lab.answer("Hand in anyway?", "n")
    last = lab.code.last
    lab.ended(last)
    said = lab.output(last)
    assert f"{name}.ipynb" in said
    assert "nothing is answered yet" in said
    assert "Nothing was written" in said
    unanswered = [text for text in lab.code.all_inner_texts() if "NotImplementedError" in text]
    assert len(unanswered) > 3


def test_student_solves_a_cell_and_hands_in(notebook, handout):
    """A wrong answer is told, a right one, too; hand_in() takes what is on the screen."""
    (handout / "scan.pdf").write_bytes(scan())
    lab = notebook("classification.ipynb")
    for text in ("import numpy as np", "digits = nnlab.load_digits()"):
        lab.run(lab.cell(text))
    answer, check = lab.cell("def log_softmax(z2)"), lab.cell(CHECK)
    lab.write(answer, NAIVE)
    lab.run(answer)
    assert "CheckFailed" in lab.run(check)
    lab.write(answer, LOG_SOFTMAX)
    lab.run(answer)
    assert "as expected" in lab.run(check)

    last = lab.code.last
    lab.start(last)
    lab.answer("Hand in anyway?", "y")
    lab.answer("Your name:", "Åsa Öst")
    lab.answer("Your student number:", "1023456")
    lab.ended(last)
    said = lab.output(last)
    assert "Åsa Öst, 1023456" in said
    folder = handout / "hand_in"
    notebooks = [f"{name}.ipynb" for name in NOTEBOOKS]
    files = [*notebooks, "round09_1023456.pdf", "round09_1023456.zip"]
    assert sorted(path.name for path in folder.iterdir()) == sorted(files)
    assert all(name in said for name in files)
    # Nobody has pressed Save.
    assert "shifted = z2 - z2.max(axis=0)" in (folder / "classification.ipynb").read_text("utf-8")
    pdf = PdfReader(folder / "round09_1023456.pdf")
    assert pdf.page_labels[-2:] == ["scan 1", "scan 2"]
    text = "".join(page.extract_text() for page in pdf.pages)
    assert "Åsa Öst" in text
    assert "shifted" in text


def scan():
    """Make a scan of two pages."""
    writer, buffer = PdfWriter(), io.BytesIO()
    for _ in range(2):
        writer.add_blank_page(595, 842)
    writer.write(buffer)
    return buffer.getvalue()


def test_validate_tells_of_cells_without_an_answer(notebook):
    lab = notebook("optimisation.ipynb")
    said = lab.validate()
    assert "NotImplementedError" in said
    assert "You did not provide a response" in said
