"""What a student does, in a real browser, with the notebooks as they are released."""

import pytest

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


def test_check_turns_right_with_the_answer(notebook):
    lab = notebook("classification.ipynb")
    for text in ("import numpy as np", "digits = nnlab.load_digits()"):
        lab.run(lab.cell(text))
    check = lab.cell(CHECK)
    answer = lab.cell("def log_softmax(z2)")
    lab.write(answer, NAIVE)
    lab.run(answer)
    assert "CheckFailed" in lab.run(check)
    lab.write(answer, LOG_SOFTMAX)
    lab.run(answer)
    assert "as expected" in lab.run(check)


def test_validate_tells_of_cells_without_an_answer(notebook):
    lab = notebook("optimisation.ipynb")
    said = lab.validate()
    assert "NotImplementedError" in said
    assert "You did not provide a response" in said
