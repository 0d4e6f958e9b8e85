"""A tiny course that the tests of the instructor's side share."""

import io
import shutil
import signal
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from coursekit.course import Course
from coursekit.release import release

# A shell that starts the tests in the background has them ignore Ctrl-C, which some of them press.
signal.signal(signal.SIGINT, signal.default_int_handler)

CONFIG = """
from coursekit.grading.execute import BoundedExecute
from nbgrader import preprocessors as stock

c = get_config()
c.CourseDirectory.course_id = "tiny"
c.Exchange.timezone = "Europe/Helsinki"
c.BoundedExecute.cell_timeout = 2
c.BoundedExecute.notebook_timeout = 5
c.Autograde.autograde_preprocessors = [
    BoundedExecute,
    stock.IgnorePattern,
    stock.LimitOutput,
    stock.SaveAutoGrades,
    stock.AssignLatePenalties,
    stock.CheckCellMetadata,
]
"""


def graded(**roles):
    """Return nbgrader's metadata of a cell."""
    defaults = {"schema_version": 3, "grade": False, "solution": False, "locked": False}
    return {"nbgrader": {**defaults, "task": False, **roles}}


def sums_notebook():
    """Return a notebook with a solution, two test cells and a written answer."""
    return new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}},
        cells=[
            new_markdown_cell("# Sums", id="title"),
            new_code_cell(
                "def add(a, b):\n    ### BEGIN SOLUTION\n    return a + b\n    ### END SOLUTION",
                id="answer",
                metadata=graded(grade_id="add", solution=True),
            ),
            new_code_cell(
                "assert add(1, 2) == 3\n"
                "### BEGIN HIDDEN TESTS\nassert add(20, 22) == 42\n### END HIDDEN TESTS",
                id="test",
                metadata=graded(grade_id="add-test", grade=True, locked=True, points=4),
            ),
            new_code_cell(
                'assert add("a", "b") == "ab"',
                id="words",
                metadata=graded(grade_id="add-words", grade=True, locked=True, points=2),
            ),
            new_markdown_cell(
                "Because addition commutes.",
                id="why",
                metadata=graded(grade_id="why", grade=True, solution=True, points=3),
            ),
        ],
    )


def products_notebook():
    """Return a notebook with one test cell."""
    return new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "p", "language": "python"}},
        cells=[
            new_code_cell(
                "product = None  ### SOLUTION",
                id="answer",
                metadata=graded(grade_id="product", solution=True),
            ),
            new_code_cell(
                "assert product == 6",
                id="test",
                metadata=graded(grade_id="product-test", grade=True, locked=True, points=1),
            ),
        ],
    )


def make_course(root: Path) -> Course:
    """Make a course with one assignment, `round`, of two notebooks and a helper module."""
    source = root / "source" / "round"
    source.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(CONFIG)
    (root / "requirements.txt").write_text("numpy\n")
    (source / "helper.py").write_text("ANSWER = 42\n")
    nbformat.write(sums_notebook(), source / "sums.ipynb")
    nbformat.write(products_notebook(), source / "products.ipynb")
    return Course(root)


def answer(course: Course, notebook: str, sources: dict[str, str]) -> str:
    """Fill in a released notebook: {grade id: source}; returns its text."""
    nb = nbformat.read(course.release / "round" / f"{notebook}.ipynb", as_version=4)
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in nb.cells}
    for grade_id, source in sources.items():
        cells[grade_id].source = source
    return nbformat.writes(nb)


def pack_download(files: dict[str, str | bytes]) -> bytes:
    """Make a zip with the given entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture(scope="session")
def templates(tmp_path_factory):
    """The tiny course before and after its release; a new gradebook takes nbgrader a second."""
    fresh = make_course(tmp_path_factory.mktemp("templates") / "fresh")
    with fresh.gradebook():
        pass
    made = Course(shutil.copytree(fresh.root, fresh.root.parent / "released"))
    release(made, "round")
    return {"fresh": fresh.root, "released": made.root}


@pytest.fixture
def course(templates, tmp_path):
    """A tiny course with an empty gradebook."""
    return Course(shutil.copytree(templates["fresh"], tmp_path / "course"))


@pytest.fixture
def released(templates, tmp_path):
    """A tiny course after its release."""
    return Course(shutil.copytree(templates["released"], tmp_path / "released"))
