"""What an instructor does after the deadline, in a real browser, on a class of three."""

import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from playwright.sync_api import expect

from coursekit.demo.download import DEADLINE, download_zip, scan, worksheet
from coursekit.demo.handing_in import hand_in, read_students
from coursekit.demo.run import ASSIGNMENT, make_course
from coursekit.grading.results import results
from coursekit.release import release
from tests.e2e.conftest import ROOT
from tests.e2e.formgrader import Formgrader, Sheet

ANNA, CARLA, BEN = STUDENTS = read_students(["perfect", "late", "no-weight-decay"])
PRY = "print(open({path!r}).read())"
ANSWER = "stage2-derivation"


def coursekit(course, *words):
    """Run a command as people do."""
    command = [sys.executable, "-P", "-m", "coursekit", *words, "--course", str(course.root)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A class that was collected, of whom the first is graded; the second has a look around."""
    made = make_course(ROOT, tmp_path_factory.mktemp("instructor") / "course")
    handout = release(made, ASSIGNMENT, DEADLINE).folder
    handed_in = {}
    for student in STUDENTS:
        files = hand_in(student, made.source / ASSIGNMENT, handout)
        handed_in[student] = {name: text.encode() for name, text in files.items()}
    handed_in[ANNA]["scan.pdf"] = scan(["Exercise 1"])
    notebook = nbformat.reads(handed_in[BEN]["derivation.ipynb"].decode(), as_version=4)
    notebook.cells.append(new_code_cell(PRY.format(path=str(made.root / "gradebook.db"))))
    handed_in[BEN]["derivation.ipynb"] = nbformat.writes(notebook).encode()
    (made.root / "submissions.zip").write_bytes(download_zip(handed_in))
    (made.root / "worksheet.csv").write_bytes(worksheet(handed_in))
    files = [str(made.root / name) for name in ("submissions.zip", "worksheet.csv")]
    coursekit(made, "collect", ASSIGNMENT, files[0], "--worksheet", files[1])
    coursekit(made, "grade", ASSIGNMENT, "--student", ANNA.number)
    return made


@pytest.fixture(scope="module")
def address(course, serve_formgrader):
    """The formgrader's address."""
    with serve_formgrader(course) as printed:
        yield printed


@pytest.fixture
def formgrader(page, address):
    """The formgrader in a fresh browser."""
    return Formgrader(page, address)


def score(course, student):
    """Give a student's result in the gradebook."""
    return {result.student: result for result in results(course, ASSIGNMENT)}[student.number]


def test_class_is_seen(formgrader):
    rows = formgrader.submissions(ASSIGNMENT)
    expect(rows).to_have_count(3)
    told = {
        student.number: formgrader.submission(ASSIGNMENT, student.number) for student in STUDENTS
    }
    expect(told[ANNA.number]).to_contain_text("needs manual grading")
    expect(told[ANNA.number]).to_contain_text("71 / 100")
    expect(told[BEN.number]).to_contain_text("needs autograding")
    expect(told[CARLA.number]).to_contain_text("needs autograding")


def test_button_grades_in_the_sandbox(formgrader, course):
    row = formgrader.submission(ASSIGNMENT, BEN.number)
    said = formgrader.press(row, "autograde")
    assert "Successfully autograded" in said
    expect(row).to_contain_text("68 / 100")
    result = score(course, BEN)
    assert (result.score, result.unsafe) == (68, False)
    graded = course.autograded / BEN.number / ASSIGNMENT / "derivation.ipynb"
    tried = nbformat.read(graded, as_version=4).cells[-1]
    assert [output.ename for output in tried.outputs] == ["PermissionError"]


def test_derivation_is_graded_beside_its_scan(formgrader, course):
    sheet = formgrader.open(ASSIGNMENT, ANNA.number, "derivation")
    assert sheet.pages.count() > 0
    for page in sheet.pages.all():
        assert page.evaluate("image => image.naturalWidth") > 500
    assert sheet.pages.first.bounding_box()["x"] > sheet.answer(ANSWER).bounding_box()["x"] + 300
    expect(sheet.guide(ANSWER)).to_contain_text("Marking guide")
    expect(sheet.guide(ANSWER)).to_contain_text("softmax")
    sheet.grade(ANSWER, "1.5", "Why is the sum of **t** one?")
    expect(formgrader.submission(ASSIGNMENT, ANNA.number)).to_contain_text("72.5 / 100")

    coursekit(course, "grade", ASSIGNMENT, "--student", ANNA.number, "--regrade")
    sheet = formgrader.open(ASSIGNMENT, ANNA.number, "derivation")
    assert sheet.given(ANSWER) == ("1.5", "Why is the sum of **t** one?")
    expect(sheet.answer(ANSWER).locator(".mark-graded")).to_be_hidden()
    assert score(course, ANNA).score == 72.5


def test_feedback_is_written_by_its_button(formgrader, course):
    said = formgrader.press(formgrader.submission(ASSIGNMENT, ANNA.number), "generate-feedback")
    assert "Successfully generated feedback" in said
    pages = course.feedback / ANNA.number / ASSIGNMENT
    page = formgrader.page
    page.goto((pages / "derivation.html").as_uri())
    expect(page.locator("body")).to_contain_text("Why is the sum of t one?")
    expect(page.locator("body")).to_contain_text("(Score: 1.5 / 2.0)")
    assert page.locator("img[alt^='Scan page']").count() == 0


def test_report_leads_to_who_needs_a_person(formgrader, course, address):
    server = address.partition("/formgrader")[0]
    coursekit(course, "report", ASSIGNMENT, "--formgrader", server)
    page = formgrader.page
    page.goto((course.build / "report" / ASSIGNMENT / "report.html").as_uri())
    expect(page.locator("body")).to_contain_text("Weight decay is missing")
    page.locator("tr").filter(has_text=BEN.number).get_by_role("link", name="derivation").click()
    expect(Sheet(page).answer(ANSWER)).to_be_visible()
