"""The stock nbgrader commands do the right thing in a course of this kit."""

import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

ROOT = Path(__file__).parents[1]
STAGE2 = """
def stage2(y2, t):
    return y2 - t


print("warning", file=__import__("sys").stderr)
try:
    open("GRADEBOOK").close()
except OSError as problem:
    print("no gradebook:", problem.strerror)
"""


@pytest.fixture(scope="module")
def nbgrader(tmp_path_factory):
    """Function: run nbgrader in a shell, in a course with one student's single notebook."""
    root = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    ignored = shutil.ignore_patterns(".*", "__pycache__")
    shutil.copytree(ROOT / "source" / "round09", root / "source" / "round09", ignore=ignored)
    scripts = sysconfig.get_path("scripts")
    environment = {**os.environ, "PATH": os.pathsep.join([scripts, os.environ["PATH"]])}

    def run(*arguments):
        return subprocess.run(
            ["nbgrader", *arguments],
            cwd=root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    run.root = root
    return run


@pytest.fixture(scope="module")
def graded(nbgrader):
    """Release, hand in a notebook with one stage done, grade, and write feedback."""
    runs = [nbgrader("generate_assignment", "round09")]
    handed_in = nbgrader.root / "submitted" / "anna" / "round09"
    handed_in.mkdir(parents=True)
    notebook = nbformat.read(nbgrader.root / "release/round09/derivation.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.id == "stage2-code":
            cell.source = STAGE2.replace("GRADEBOOK", str(nbgrader.root / "gradebook.db"))
    nbformat.write(notebook, handed_in / "derivation.ipynb")
    runs += [nbgrader(command, "round09") for command in ("autograde", "generate_feedback")]
    assert [run.returncode for run in runs] == [0, 0, 0], [run.stderr for run in runs]
    return nbgrader.root


def test_generate_assignment_makes_the_committed_release(graded):
    made = {path.name: path.read_bytes() for path in (graded / "release/round09").glob("*.ipynb")}
    committed = (ROOT / "release" / "round09").glob("*.ipynb")
    assert made == {path.name: path.read_bytes() for path in committed}


def test_autograde_saves_the_judges_points(graded):
    with Gradebook(f"sqlite:///{graded}/gradebook.db") as gradebook:
        submission = gradebook.find_submission("round09", "anna")
        scores = {grade.name: grade.score for book in submission.notebooks for grade in book.grades}
    assert {name for name, score in scores.items() if score} == {"stage2-dE-dz2"}
    assert scores["stage2-dE-dz2"] == 2


def test_autograde_runs_student_code_in_the_sandbox(graded):
    text = (graded / "autograded/anna/round09/derivation.ipynb").read_text("utf-8")
    assert "no gradebook: Permission denied" in text
    assert "unsafe_no_sandbox" not in text


def test_autograde_without_the_sandbox_warns_and_leaves_a_mark(nbgrader, graded):
    handed_in = shutil.copytree(graded / "submitted" / "anna", graded / "submitted" / "berta")
    done = nbgrader(
        *("autograde", "round09", "--student", "berta"), "--BoundedExecute.unsafe_no_sandbox=True"
    )
    shutil.rmtree(handed_in)
    assert done.returncode == 0, done.stderr
    assert "WARNING] Student code runs without a sandbox, with all your rights." in done.stderr
    text = (graded / "autograded/berta/round09/derivation.ipynb").read_text("utf-8")
    assert "no gradebook: " not in text
    assert '"unsafe_no_sandbox": true' in text


def test_feedback_shows_the_verdict_and_no_hidden_line(graded):
    page = (graded / "feedback/anna/round09/derivation.html").read_text("utf-8")
    assert "Stage 2: dE/dz2: 2 of 2 points" in page
    assert "No answer: not answered yet." in page
    assert "HIDDEN TESTS" not in page
    assert "judge(" not in page


def test_validate_passes_the_solution_and_fails_the_blank_notebook(nbgrader, graded):
    solution = nbgrader("validate", "source/round09/derivation.ipynb")
    assert "Success! Your notebook passes all the tests." in solution.stdout
    blank = nbgrader("validate", "release/round09/derivation.ipynb")
    assert "VALIDATION FAILED" in blank.stdout
