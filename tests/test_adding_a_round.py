"""The miniature round of docs/adding-a-round.md, from its own blocks: it is released and graded."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from coursekit.course import Course

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.M | re.S)
GUIDE = (ROOT / "docs/adding-a-round.md").read_text(encoding="utf-8")
BLOCKS = {where: text for _, where, text in BLOCK.findall(GUIDE)}
MISTAKE = "You divide by the variance; divide by its square root, the standard deviation."
ANSWERS = {
    "right": "def normalise(image):\n    return (image - image.mean()) / image.std()",
    "mistaken": "def normalise(image):\n    return (image - image.mean()) / image.var()",
    "unanswered": None,
}


def run(root, *command):
    """Run a command as it stands in the guide, with the kit of the copied course."""
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(root), str(root / "source/round09")]),
    }
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A copy of the course with the miniature added, released, handed in three times, graded."""
    root = tmp_path_factory.mktemp("course")
    for folder in ("coursekit", "source"):
        shutil.copytree(
            ROOT / folder, root / folder, ignore=shutil.ignore_patterns(".*", "__pycache__")
        )
    for name in ("nbgrader_config.py", "requirements.txt"):
        shutil.copy(ROOT / name, root)
    run(root, "sh", "-ec", BLOCKS["copy"])
    for where, text in BLOCKS.items():
        if where.endswith(".py"):
            (root / where).write_text(text, encoding="utf-8")
    run(root, "sh", "-ec", BLOCKS["release"])
    for student, answer in ANSWERS.items():
        notebook = nbformat.read(root / "release/round10/images.ipynb", as_version=4)
        for cell in notebook.cells:
            if answer and cell.id == "normalise-code":
                cell.source = answer
            if answer and cell.id == "why-answer":
                cell.source = "Brightness is gone."
        folder = root / "submitted" / student / "round10"
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / "images.ipynb")
    run(root, "coursekit", "grade", "round10")
    return Course(root)


def test_release_holds_neither_solution_nor_guide(graded):
    text = (graded.release / "round10/images.ipynb").read_text()
    for secret in ("image.std()", "judge(", "are gone", "Common mistakes"):
        assert secret not in text


@pytest.mark.parametrize(("student", "points"), [("right", 3), ("mistaken", 0), ("unanswered", 0)])
def test_each_student_has_the_points_of_the_judge(graded, student, points):
    with graded.gradebook() as gradebook:
        submission = gradebook.find_submission("round10", student)
        assert (submission.score, submission.max_score) == (points, 5)
        written = gradebook.find_grade("why-answer", "images", "round10", student)
        assert bool(written.needs_manual_grade) == (student != "unanswered")


def test_the_mistake_is_told_to_whoever_made_it(graded):
    told = {
        student: MISTAKE in (graded.autograded / student / "round10/images.ipynb").read_text()
        for student in ANSWERS
    }
    assert told == {"right": False, "mistaken": True, "unanswered": False}


def test_hand_in_knows_the_cells_of_the_released_notebook(graded):
    scope = {}
    exec(BLOCKS["source/round10/nnlab/handing_in/released.py"], scope)
    notebook = nbformat.read(graded.release / "round10/images.ipynb", as_version=4)
    ids = [c.metadata.nbgrader.grade_id for c in notebook.cells if "nbgrader" in c.metadata]
    assert scope["CELLS"] == {"images": ids}


def test_report_of_the_new_round_names_the_mistake(graded):
    run(graded.root, "coursekit", "report", "round10")
    pages = list(graded.root.glob("build/**/report.html"))
    assert len(pages) == 1
    assert "variance in place of standard deviation" in pages[0].read_text() or MISTAKE in (
        pages[0].read_text()
    )
