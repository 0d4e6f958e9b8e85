"""Round 9 as it is released: current, without solutions, and running from top to bottom."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import scipy.io
from nbclient import NotebookClient

import nnlab
from coursekit import notebooks
from coursekit.course import Course
from coursekit.release import release

ROOT = Path(__file__).parents[1]
SOURCE, RELEASE = ROOT / "source/round09", ROOT / "release/round09"
NAMES = ("derivation", "classification", "optimisation")


def read(folder, name):
    return nbformat.read(folder / f"{name}.ipynb", as_version=4)


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }


@pytest.fixture(scope="module")
def course_copy(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    shutil.copy(ROOT / "nbgrader_config.py", root)
    shutil.copytree(
        SOURCE, root / "source/round09", ignore=shutil.ignore_patterns(".*", "__pycache__")
    )
    return Course(root)


def test_release_is_current(course_copy):
    release(course_copy, "round09")
    assert files(course_copy.release / "round09") == files(RELEASE), "run make release"


@pytest.mark.parametrize("name", NAMES)
def test_release_holds_no_line_of_a_solution(name):
    released = read(RELEASE, name)
    text = "\n".join(cell.source for cell in released.cells)
    released_lines = {line.strip() for line in text.splitlines()}
    solution_lines = set()
    for cell in read(SOURCE, name).cells:
        role = cell.metadata.get("nbgrader", {})
        if role.get("solution") and cell.cell_type == "markdown":
            solution_lines |= set(cell.source.splitlines())
        for region in re.findall(
            r"### BEGIN SOLUTION\n(.*?)\s*### END SOLUTION", cell.source, re.S
        ):
            solution_lines |= {line.strip() for line in region.splitlines()}
    solution_lines -= {"", ")", "}"}
    assert len(solution_lines) > 10
    assert not solution_lines & released_lines


@pytest.mark.parametrize("name", NAMES)
def test_release_holds_no_hidden_test_and_nothing_of_the_instructor(name):
    text = (RELEASE / f"{name}.ipynb").read_text()
    for secret in ("judge(", "HIDDEN TESTS", "BEGIN SOLUTION", "coursekit", "instructor"):
        assert secret not in text
    assert not [cell.id for cell in read(RELEASE, name).cells if cell.get("outputs")]


@pytest.mark.parametrize("name", NAMES)
def test_release_keeps_the_cell_ids_of_the_source(name):
    kept = [
        c.id for c in read(SOURCE, name).cells if "instructor" not in c.metadata.get("tags", [])
    ]
    assert [cell.id for cell in read(RELEASE, name).cells] == kept


@pytest.mark.parametrize("name", NAMES)
def test_source_is_fit_to_be_released(name):
    assert notebooks.problems(read(SOURCE, name)) == []


@pytest.mark.parametrize("name", NAMES)
def test_points_of_a_heading_are_those_of_its_cells(name):
    """The numbers in "Stage 2 (2 + 2 points)" add up to the points of the cells below it."""
    promised, given, total = 0, 0, 0
    for cell in [*read(SOURCE, name).cells, nbformat.v4.new_markdown_cell("# End")]:
        heading = re.match(r"#+ .*", cell.source) if cell.cell_type == "markdown" else None
        if heading:
            assert promised == given, f"above {heading[0]}"
            total += given
            numbers = re.search(r"\(([\d +]+) points?\)", heading[0])
            promised, given = sum(map(int, numbers[1].split("+"))) if numbers else 0, 0
        given += cell.metadata.get("nbgrader", {}).get("points", 0)
    title = read(SOURCE, name).cells[0].source
    assert f"· {total} points ·" in title


@pytest.fixture(scope="module", params=NAMES)
def executed(request, tmp_path_factory):
    """Run a source notebook as an instructor would, in a shell."""
    folder = tmp_path_factory.mktemp("executed")
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute"]
    run = subprocess.run(
        [*command, SOURCE / f"{request.param}.ipynb", "--output-dir", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return read(folder, request.param), run.stderr


def test_source_runs_without_a_warning(executed):
    notebook, said = executed
    assert "warn" not in said.lower()
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", (cell.id, output.text)


def test_every_figure_is_shown_once(executed):
    notebook, _ = executed
    for cell in notebook.cells:
        if cell.cell_type == "code" and "figure" in cell.source:
            images = [out for out in cell.outputs if "image/png" in out.get("data", {})]
            assert len(images) == 1, cell.id


@pytest.mark.parametrize("name", NAMES)
def test_blank_release_runs_to_its_end(name, tmp_path):
    shutil.copytree(RELEASE, tmp_path / "round09")
    notebook = read(RELEASE, name)
    place = {"metadata": {"path": str(tmp_path / "round09")}}
    NotebookClient(notebook, allow_errors=True, resources=place).execute()
    ran = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    assert all(cell.execution_count for cell in ran)


@pytest.fixture(scope="module")
def course_data(tmp_path_factory):
    """A file of the course's form: digits of 16 x 16 pixels, enlarged from scikit-learn's."""
    path = tmp_path_factory.mktemp("data") / "data.mat"
    parts = {}
    for name, cases in zip(
        ("training", "validation", "test"), nnlab.load_digits()[:3], strict=True
    ):
        images = cases.inputs.T.reshape(-1, 8, 8)
        large = np.kron(images, np.ones((2, 2))).reshape(-1, 256).T
        parts[name] = {"inputs": large / 4, "targets": cases.targets}
    scipy.io.savemat(path, {"data": parts})
    return path


@pytest.mark.parametrize("name", ["classification", "optimisation"])
def test_notebooks_run_on_the_courses_own_data(name, course_data, tmp_path, monkeypatch):
    monkeypatch.setenv("ROUND09_DATA", str(course_data))
    notebook = read(SOURCE, name)
    place = {"metadata": {"path": str(SOURCE)}}
    NotebookClient(notebook, allow_errors=True, resources=place).execute()
    for cell in notebook.cells:
        judged = cell.metadata.get("nbgrader", {}).get("grade", False)
        errors = [out for out in cell.get("outputs", []) if out.output_type == "error"]
        assert judged or not errors, (cell.id, errors)


def test_pictures_of_the_readme_exist():
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", (ROOT / "README.md").read_text("utf-8"))
    assert pictures
    assert all((ROOT / picture).is_file() for picture in pictures)
