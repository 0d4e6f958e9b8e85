"""The whole class, graded once: what every student of the demo gets."""

import csv
import html
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from coursekit.cli import main
from coursekit.course import Course
from coursekit.demo.handing_in import read_students
from coursekit.demo.run import ASSIGNMENT, MARKER, make_course, run
from coursekit.errors import KitError
from coursekit.grading.results import points, results
from coursekit.judging.verdict import read_verdict

REPOSITORY = Path(__file__).parents[2]
STUDENTS = {student.key: student for student in read_students()}
HANDED_IN = [key for key in STUDENTS if key != "absent"]

OF_THE_TESTS = [
    "judge(",
    "_judge",
    "HIDDEN TESTS",
    "coursekit_challenges",
    "vnd.coursekit",
    "answer_all",
    "nonce",
]
ENCODED_ARRAY = re.compile(r"[A-Za-z0-9+/]{200,}")
TAG = re.compile(r"<[^>]*>")


def make_instructors_course(root):
    """A course with an instructor's own work in it, which its configuration names by full paths."""
    root.mkdir()
    shutil.copytree(REPOSITORY / "source", root / "source")
    config = (REPOSITORY / "nbgrader_config.py").read_text("utf-8")
    (root / "nbgrader_config.py").write_text(
        f"{config}\n"
        f"c.CourseDirectory.db_url = 'sqlite:///{root}/gradebook.db'\n"
        f"c.CourseDirectory.submitted_directory = '{root}/submitted'\n"
        f"c.CourseDirectory.autograded_directory = '{root}/autograded'\n",
        "utf-8",
    )
    for name in ("submitted/1/round09/derivation.ipynb", "autograded/1/x", "gradebook.db"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("the instructor's")
    return root


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "build" not in path.parts and "__pycache__" not in path.parts
    }


def words(page):
    """What a reader of an HTML page could find in it: no tags, no pictures."""
    return html.unescape(TAG.sub("", page.read_text("utf-8")))


@pytest.fixture(scope="module")
def instructors(tmp_path_factory):
    """The instructor's course and what was in it before the demo ran."""
    root = make_instructors_course(tmp_path_factory.mktemp("demo") / "course")
    return root, contents(root)


@pytest.fixture(scope="module")
def lines():
    """What the demo reported."""
    return []


@pytest.fixture(scope="module")
def demo(instructors, lines):
    root, _ = instructors
    return run(root, root / "build" / "demo", report=lines.append)


@pytest.fixture(scope="module")
def found(demo):
    """Results by the students' keys."""
    keys = {student.number: student.key for student in demo.students}
    return {keys[result.student]: result for result in demo.results}


@pytest.mark.parametrize("key", STUDENTS)
def test_everybody_gets_the_points_they_should(found, key):
    got = {notebook.name: float(points(notebook.score)) for notebook in found[key].notebooks}
    assert got == STUDENTS[key].expected


@pytest.mark.parametrize("key", STUDENTS)
def test_everybody_loses_points_in_the_cells_they_should_and_is_told_why(found, key):
    assert {lost.cell for lost in found[key].lost} == STUDENTS[key].lost
    assert all(lost.reason for lost in found[key].lost)


def test_without_weight_decay_exactly_its_three_points_are_lost(found):
    (lost,) = found["no-weight-decay"].lost
    assert (lost.cell, lost.score, lost.max_score) == ("gradient-weight-decay", 0, 3)
    assert found["no-weight-decay"].score == found["perfect"].score - 3


def test_one_student_stops_nobody_else(demo):
    assert {outcome.status for outcome in demo.outcomes} == {"graded"}
    assert len(demo.outcomes) == len(HANDED_IN)


def test_every_student_is_reported(demo, lines):
    graded = [line.split()[3] for line in lines if line.startswith("Graded")]
    assert sorted(graded) == sorted(HANDED_IN)  # in the order in which they are done


def test_the_perfect_notebooks_get_100_of_100_once_the_answers_are_read(demo, tmp_path):
    course = Course(shutil.copytree(demo.course.root, tmp_path / "copy"))
    with course.gradebook() as gradebook:
        submission = gradebook.find_submission(ASSIGNMENT, STUDENTS["perfect"].number)
        for notebook in submission.notebooks:
            for grade in notebook.grades:
                if grade.needs_manual_grade:
                    grade.manual_score = grade.max_score
                    grade.needs_manual_grade = False
        gradebook.db.commit()
    (perfect,) = [
        result
        for result in results(course, ASSIGNMENT)
        if result.student == STUDENTS["perfect"].number
    ]
    assert (perfect.score, perfect.max_score) == (100, 100)


def test_the_blank_notebooks_get_nothing_and_leave_nothing_to_read(found):
    assert (found["blank"].score, found["blank"].max_score) == (0, 100)
    assert found["blank"].needs_manual == 0


def test_the_late_student_is_late_by_30_hours_and_nobody_else(found):
    assert {key: result.late_seconds for key, result in found.items() if result.late_seconds} == {
        "late": 30 * 3600
    }


def test_who_handed_nothing_in_is_listed_as_absent(found):
    assert [key for key, result in found.items() if result.state != "graded"] == ["absent"]
    assert found["absent"].name == "Ilmari Esimerkki"


def test_a_notebook_that_is_missing_is_named(found):
    assert {key: result.missing for key, result in found.items() if result.missing} == {
        "no-optimisation": ("optimisation",)
    }


@pytest.mark.parametrize("key", HANDED_IN)
def test_nothing_of_the_tests_is_handed_in(demo, key):
    for path in (demo.course.submitted / STUDENTS[key].number / ASSIGNMENT).glob("*.ipynb"):
        text = path.read_text("utf-8")
        assert not [word for word in ("judge(", "HIDDEN", "SOLUTION") if word in text]


@pytest.mark.parametrize("key", HANDED_IN)
def test_the_feedback_says_why_and_nothing_of_the_tests(demo, key):
    student = STUDENTS[key].number
    pages = sorted((demo.course.feedback / student / ASSIGNMENT).glob("*.html"))
    graded = sorted((demo.course.autograded / student / ASSIGNMENT).glob("*.ipynb"))
    assert [page.stem for page in pages] == [notebook.stem for notebook in graded]
    for page, notebook in zip(pages, graded, strict=True):
        text = words(page)
        assert not [word for word in OF_THE_TESTS if word in text]
        assert not ENCODED_ARRAY.search(text)
        cells = nbformat.read(notebook, as_version=4).cells
        lines = [
            line
            for verdict in map(read_verdict, cells)
            if verdict
            for line in verdict.text.splitlines()
        ]
        assert lines
        assert not [line for line in lines if line not in text]


def test_grades_csv_has_a_row_for_everybody(demo):
    with demo.grades.open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert list(rows) == [student.number for student in STUDENTS.values()]
    assert rows[STUDENTS["late"].number] == {
        "student": "2471502",
        "name": "Fatima Al-Zahra",
        "state": "graded",
        "classification": "35",
        "derivation": "17",
        "optimisation": "19",
        "penalty": "0",
        "total": "71",
        "max": "100",
        "by_hand": "29",
        "late_seconds": "108000",
        "missing": "",
        "why": "30.0 h late",
    }


def test_the_instructors_own_work_is_untouched(demo, instructors):
    root, before = instructors
    assert contents(root) == before


# --- The demo's folder -----------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "build" / "demo"


def test_the_demo_replaces_what_an_earlier_run_made(folder):
    make_course(REPOSITORY, folder)
    (folder / "gradebook.db").touch()
    make_course(REPOSITORY, folder)
    assert {path.name for path in folder.iterdir()} == {
        MARKER,
        "nbgrader_config.py",
        "requirements.txt",
        "source",
    }


def test_the_demos_course_lies_in_its_folder_whatever_the_instructors_names(folder, tmp_path):
    course = make_course(make_instructors_course(tmp_path / "course"), folder)
    assert course.directory().db_url == f"sqlite:///{folder.resolve()}/gradebook.db"
    for place in (course.source, course.submitted, course.autograded, course.feedback):
        assert place.parent == folder.resolve()
    secret = Path(course.config.PoseChallenges.secret_file)
    assert secret == folder.resolve() / ".coursekit" / "secret"


def test_a_folder_that_no_run_made_is_left_alone(folder):
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(KitError, match="is in the way: no run of the demo made it"):
        make_course(REPOSITORY, folder)
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_a_link_is_not_followed(folder, tmp_path):
    make_course(REPOSITORY, tmp_path / "other")
    folder.parent.mkdir()
    folder.symlink_to(tmp_path / "other")
    with pytest.raises(KitError, match="is in the way"):
        make_course(REPOSITORY, folder)
    assert (tmp_path / "other" / MARKER).exists()


def test_an_unknown_student_is_told_before_anything_is_made(folder):
    with pytest.raises(KitError, match="No student 'nobody'"):
        run(REPOSITORY, folder, ["nobody"])
    assert not folder.exists()


def stored_verdicts(demo, number):
    """The verdicts in one student's graded notebooks, by task."""
    verdicts = {}
    for path in (demo.course.autograded / number / ASSIGNMENT).glob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            verdict = read_verdict(cell)
            if verdict is not None:
                verdicts[verdict.task] = verdict
    return verdicts


def test_all_students_of_a_run_are_asked_the_same(demo):
    one, other = (
        stored_verdicts(demo, STUDENTS[key].number) for key in ("perfect", "no-weight-decay")
    )
    assert {name: verdict.seed for name, verdict in one.items()} == {
        name: verdict.seed for name, verdict in other.items()
    }


@pytest.fixture
def verdict(demo):
    """Function: run ``coursekit verdict`` for a student's key and a cell."""

    def ask(key, cell, *others):
        number = STUDENTS[key].number
        options = ["--course", str(demo.course.root), "--student", number, "--cell", cell]
        return CliRunner().invoke(main, ["verdict", ASSIGNMENT, *options, *others])

    return ask


@pytest.mark.parametrize(
    ("key", "cell"),
    [("no-weight-decay", "gradient-weight-decay"), ("perfect", "gradient-W1")],
)
def test_appeal_judges_again_with_the_same_challenges(demo, verdict, key, cell):
    told = verdict(key, cell)
    stored = stored_verdicts(demo, STUDENTS[key].number)[cell]
    assert told.exit_code == 0, told.output
    assert str(stored.seed) in told.output
    assert stored.text in told.output
    assert told.output.endswith("the same verdict.\n")


def test_appeal_tells_a_verdict_that_is_not_reproduced(demo, verdict):
    number = STUDENTS["sum-not-mean"].number
    path = demo.course.autograded / number / ASSIGNMENT / "classification.ipynb"
    before = path.read_bytes()
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.id == "gradient-code":
            cell.source = "gradient = None"
    path.chmod(0o600)
    nbformat.write(notebook, path)
    try:
        told = verdict("sum-not-mean", "gradient-W1")
    finally:
        path.write_bytes(before)
    assert told.exit_code == 1
    assert "the verdict differs" in told.output


@pytest.fixture
def perfect(demo):
    """The graded notebook of one student, to change; put back afterwards."""
    number = STUDENTS["perfect"].number
    path = demo.course.autograded / number / ASSIGNMENT / "classification.ipynb"
    before = path.read_bytes()
    path.chmod(0o600)
    yield path
    path.write_bytes(before)


def test_appeal_makes_no_secret_where_one_stands(verdict, perfect, tmp_path, monkeypatch):
    notebook = nbformat.read(perfect, as_version=4)
    earlier = next(cell for cell in notebook.cells if read_verdict(cell))
    assert earlier.id != "gradient-W1"
    earlier.outputs = []
    nbformat.write(notebook, perfect)
    monkeypatch.chdir(tmp_path)
    assert verdict("perfect", "gradient-W1").exit_code == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"{}", b'{"nbformat": 4, "cells": 3}', b"\xff\xfe"]
)
def test_appeal_to_a_damaged_notebook_is_one_sentence(verdict, perfect, content):
    perfect.write_bytes(content)
    told = verdict("perfect", "gradient-W1")
    assert told.exit_code == 1
    assert told.stderr.startswith(f"Error: {perfect} is no notebook any more: ")
    assert told.stderr.endswith("grade it again: coursekit grade --regrade.\n")


def test_appeal_that_cannot_be_run_is_one_sentence(verdict, perfect):
    notebook = nbformat.read(perfect, as_version=4)
    notebook.metadata.kernelspec = {"name": "abacus", "display_name": "Abacus"}
    nbformat.write(notebook, perfect)
    assert verdict("perfect", "gradient-W1").exit_code == 0  # the sandbox has its own kernel
    told = verdict("perfect", "gradient-W1", "--unsafe-no-sandbox")
    assert told.exit_code == 1
    assert told.stderr.startswith("Warning: student code runs without a sandbox")
    assert f"Error: {perfect} cannot be run again: " in told.stderr
    assert "abacus" in told.stderr


@pytest.mark.parametrize(
    ("key", "cell", "words_of_it"),
    [
        ("perfect", "no-such-cell", "no-such-cell"),
        ("perfect", "inside-answer", "inside-answer"),
        ("absent", "gradient-W1", "is graded"),
    ],
)
def test_appeal_without_a_verdict_is_one_sentence(verdict, key, cell, words_of_it):
    told = verdict(key, cell)
    assert told.exit_code == 1
    assert words_of_it in told.output
    assert "Traceback" not in told.output
