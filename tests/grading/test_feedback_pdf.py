"""Feedback as PDF: who gets one, what stands in it, and whom it may reach."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from nbformat.v4 import new_markdown_cell
from pypdf import PdfReader

from coursekit.cli import main
from coursekit.course import Course
from coursekit.grading import each
from coursekit.grading.autograde import grade
from coursekit.grading.feedback_pdf import _annotated, feedback_pdfs
from coursekit.grading.interrupt import Interrupt
from coursekit.grading.todo import STATE

from ..conftest import answer

RIGHT = "def add(a, b):\n    return a + b"
WRONG = "def add(a, b):\n    return int(a) + int(b)"
CONFIG = """
from nbgrader import preprocessors as stock

c.GenerateFeedback.preprocessors = [stock.ClearHiddenTests, stock.GetGrades]
"""


@pytest.fixture(scope="module")
def graded(templates, tmp_path_factory):
    """A class of three: all is right; a wrong notebook, and one missing; late."""
    root = shutil.copytree(templates["released"], tmp_path_factory.mktemp("class") / "course")
    with (root / "nbgrader_config.py").open("a") as file:
        file.write(CONFIG)
    course = Course(root)
    products = answer(course, "products", {"product": "product = 6"})
    for student, files in {
        "1-right": {
            "sums": answer(course, "sums", {"add": RIGHT, "why": "So: #set page() $x^2$"}),
            "products": products,
        },
        "2-wrong": {"sums": answer(course, "sums", {"add": WRONG})},
        "3 [late]": {"products": products},
    }.items():
        folder = course.submitted / student / "round"
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / f"{name}.ipynb").write_text(content)
    assert {outcome.status for outcome in grade(course, "round")} == {"graded"}
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student("2-wrong", first_name="Aino", last_name="Ek")
        comment = gradebook.find_comment("add", "sums", "round", "2-wrong")
        comment.manual_comment = "Look at **types**:\n\n- words can be added, too"
        late = gradebook.find_submission_notebook("products", "round", "3 [late]")
        late.late_submission_penalty = 0.5
        gradebook.db.commit()
    return course


@pytest.fixture(scope="module")
def written(graded):
    """The outcomes of a first run, and the words of each PDF."""
    outcomes = feedback_pdfs(graded, "round")
    return outcomes, {
        path.parent.parent.name: [page.extract_text() for page in PdfReader(path).pages]
        for path in graded.feedback.glob("*/round/round.pdf")
    }


@pytest.fixture
def copy(graded, tmp_path):
    """A copy of the graded course, to change."""
    return Course(shutil.copytree(graded.root, tmp_path / "copy"))


def path_of(course, student):
    return course.feedback / student / "round" / "round.pdf"


def run(course, *arguments):
    return CliRunner().invoke(main, ["pdf", "--course", str(course.root), *arguments])


def test_every_graded_student_gets_one_pdf_for_the_owner_only(graded, written):
    outcomes, pages = written
    assert outcomes == dict.fromkeys(["1-right", "2-wrong", "3 [late]"], "")
    assert pages.keys() == outcomes.keys()
    for student in outcomes:
        path = path_of(graded, student)
        assert [entry.name for entry in path.parent.iterdir()] == ["round.pdf"]
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("student", "lines"),
    [
        ("1-right", ["tiny", "round: 7 of 10 points so far", "1-right"]),
        ("2-wrong", ["tiny", "round: 4 of 10 points", "Aino Ek · 2-wrong"]),
        ("3 [late]", ["tiny", "round: 0.5 of 10 points", "3 [late]"]),
    ],
)
def test_title_says_who_and_how_many_points(written, student, lines):
    front = [" ".join(line.split()) for line in written[1][student][0].splitlines()]
    assert front[:3] == lines


@pytest.mark.parametrize(
    ("student", "rows"),
    [
        ("1-right", ["products 1 1", "sums 6 9", "Sum 7 10", "up to 3 points, are not graded yet"]),
        ("2-wrong", ["products, not handed in 0 1", "sums 4 9", "Sum 4 10"]),
        ("3 [late]", ["products 1 1", "sums, not handed in 0 9", "Late −0.5", "Sum 0.5 10"]),
    ],
)
def test_table_sums_up_the_points_of_each_notebook(written, student, rows):
    table = " ".join(written[1][student][1].split())
    assert all(row in table for row in rows)
    assert ("not graded yet" in table) == (student == "1-right")


@pytest.mark.parametrize(
    ("student", "notes"),
    [
        ("1-right", ["4 of 4 points (add-test)", "Not graded yet: up to 3 points (why)"]),
        ("2-wrong", ["0 of 2 points (add-words)", "0 of 3 points (why)", "No response."]),
        ("2-wrong", ["Comment (add)", "Look at types:", "words can be added, too"]),
        ("3 [late]", ["1 of 1 point (product-test)"]),
    ],
)
def test_points_and_comments_stand_behind_their_cells(written, student, notes):
    words = " ".join("\n".join(written[1][student][2:]).split())
    places = [words.index(note) for note in notes]
    assert places == sorted(places)
    assert "0 of 0" not in words


def test_students_words_are_text_and_hidden_tests_are_not_there(written):
    words = "\n".join(page for pages in written[1].values() for page in pages)
    assert "#set page()" in words
    assert "add(1, 2) == 3" in words
    assert "add(20, 22)" not in words


def test_second_run_replaces_the_pdfs_and_keeps_what_else_is_there(copy, written):
    page = path_of(copy, "1-right").with_name("sums.html")
    page.write_text("a page")
    path_of(copy, "1-right").write_text("old")
    assert feedback_pdfs(copy, "round", ["1-right"], paper="us-letter") == {"1-right": ""}
    assert path_of(copy, "1-right").read_bytes().startswith(b"%PDF")
    assert page.read_text() == "a page"
    assert len(list(page.parent.iterdir())) == 2


def test_whoever_cannot_be_written_is_told_and_stops_nobody(copy):
    shutil.rmtree(copy.feedback, ignore_errors=True)
    for name in ("4-empty", "5-unknown"):
        (copy.autograded / name / "round").mkdir(parents=True)
    shutil.copy(copy.autograded / "1-right/round/sums.ipynb", copy.autograded / "5-unknown/round")
    path = copy.autograded / "2-wrong" / "round" / "sums.ipynb"
    path.chmod(0o600)
    path.write_text("{")
    calls = []
    outcomes = feedback_pdfs(copy, "round", progress=lambda *call: calls.append(call))
    for student, words in {
        "2-wrong": "sums.ipynb is no notebook any more",
        "4-empty": "holds no graded notebook",
        "5-unknown": "the gradebook has no points in round; grade the work again",
    }.items():
        assert words in outcomes.pop(student)
    assert outcomes == {"1-right": "", "3 [late]": ""}
    assert sorted(copy.feedback.glob("*/round/round.pdf")) == [
        path_of(copy, student) for student in outcomes
    ]
    assert calls[-1] == (5, 5)


def test_points_and_comments_that_a_student_wrote_into_a_cell_are_not_shown():
    forged = {"grade_id": "x", "score": 9, "points": 9, "comment": "Excellent!"}
    cell = new_markdown_cell("words", metadata={"nbgrader": forged})
    assert _annotated(cell, ()) == [cell]


def test_command_tells_who_has_no_pdf(copy):
    path = copy.autograded / "2-wrong" / "round" / "sums.ipynb"
    path.chmod(0o600)
    path.write_text("{")
    result = run(copy, "--student", "2-wrong", "--student", "3 [late]")
    assert result.exit_code == 1
    assert result.stdout.startswith("1 students' PDFs in ")
    assert f"  2-wrong: {path} is no notebook any more" in result.stdout
    assert result.stderr == "Error: No PDFs could be written for: 2-wrong.\n"


def test_only_what_is_graded_as_a_whole_is_written(copy):
    (copy.autograded / "2-wrong" / "round" / STATE).write_text(
        '{"handed_in": "", "left": ["sums"]}'
    )
    result = run(copy, "round", "--student", "2-wrong", "--student", "../1-right")
    assert result.exit_code == 1
    assert "Not graded: ../1-right, 2-wrong; " in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [((), "run coursekit grade"), (("rond",), "there are: round")],
)
def test_nothing_to_write_is_told(released, arguments, words):
    result = run(released, *arguments)
    assert result.exit_code == 1
    assert words in result.stderr


def test_interrupt_ends_the_run_at_once_and_leaves_no_half_file(copy, monkeypatch):
    monkeypatch.setattr(each, "SERIAL", 0)
    monkeypatch.setattr(Interrupt, "check", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
    result = run(copy)
    assert result.exit_code == 1
    assert result.stderr == "Error: Stopped; the PDFs that were written are there.\n"
    assert not list(Path(copy.feedback).rglob(".*"))
