"""A class of students on the tiny course, graded once."""

import csv
import os
import shutil

import nbformat
import pytest

from coursekit.course import Course
from coursekit.errors import CourseError
from coursekit.grading.autograde import Wanted, grade
from coursekit.grading.feedback import feedback
from coursekit.grading.outcome import NEEDS_PERSON
from coursekit.grading.results import results, write_grades
from coursekit.grading.student import LostPoints, NotebookResult, StudentResult, why
from coursekit.grading.todo import STATE, unfinished
from coursekit.release import release

from ..conftest import answer

RIGHT = "def add(a, b):\n    return a + b"
WRONG = "def add(a, b):\n    return int(a) + int(b)"
ENDLESS = "def add(a, b):\n    while True:\n        pass"
DEADLY = "import os\n\ndef add(a, b):\n    os._exit(1)"


@pytest.fixture(scope="module")
def graded(templates, tmp_path_factory):
    """Return the course after grading, the outcomes by student, and the calls of progress."""
    course = Course(shutil.copytree(templates["released"], tmp_path_factory.mktemp("class") / "c"))

    def hand_in(student, **files):
        folder = course.submitted / student / "round"
        folder.mkdir(parents=True)
        for name, content in files.items():
            name, _, suffix = name.rpartition("_")
            (folder / f"{name}.{suffix}").write_text(content)

    sums = {source: answer(course, "sums", {"add": source}) for source in (ENDLESS, WRONG, DEADLY)}
    hand_in(
        "1-right",
        sums_ipynb=answer(course, "sums", {"add": RIGHT, "why": "It commutes."}),
        products_ipynb=answer(course, "products", {"product": "product = 6"}),
        scan_pdf="a scan",
    )
    hand_in("2-endless", sums_ipynb=sums[ENDLESS])
    hand_in("3-deadly", sums_ipynb=sums[DEADLY])
    hand_in("4-broken", sums_ipynb="{", products_ipynb="")
    hand_in("5-scan", scan_pdf="a scan")
    hand_in("5-words", notes_txt="I was ill.", timestamp_txt="2026-11-20 12:00:00 UTC")
    hand_in("6-wrong", sums_ipynb=sums[WRONG], timestamp_txt="2026-11-20 13:00:00 UTC")
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student("7-absent", first_name="=Aino", last_name="Esimerkki")
        gradebook.update_or_create_assignment("round", duedate="2026-11-20 12:00:00 UTC")
    calls = []
    outcomes = grade(course, "round", progress=lambda *call: calls.append(call))
    return course, {outcome.student: outcome for outcome in outcomes}, calls


@pytest.fixture(scope="module")
def found(graded):
    return {result.student: result for result in results(graded[0], "round")}


@pytest.fixture
def copy(graded, tmp_path):
    """A copy of the graded course, to change."""
    return Course(shutil.copytree(graded[0].root, tmp_path / "copy"))


def test_nobody_stops_the_others(graded):
    assert {student: outcome.status for student, outcome in graded[1].items()} == {
        "1-right": "graded",
        "2-endless": "graded",
        "3-deadly": "graded",
        "4-broken": "needs a person",
        "5-scan": "needs a person",
        "5-words": "not handed in",
        "6-wrong": "graded",
    }


def test_progress_is_told_after_each_student(graded):
    _, outcomes, calls = graded
    assert [(done, total) for done, total, _ in calls] == [(done, 7) for done in range(1, 8)]
    assert {outcome.student: outcome for *_, outcome in calls} == outcomes


@pytest.mark.parametrize(
    ("student", "detail"),
    [
        ("1-right", ""),
        ("2-endless", "Not handed in, 0 points: products.ipynb."),
        ("5-words", "No notebook was handed in: 0 points."),
    ],
)
def test_outcome_says_what_is_missing(graded, student, detail):
    assert graded[1][student].detail == detail


def test_damage_that_needs_a_person_names_the_notebooks_and_the_remedy(graded):
    assert graded[1]["4-broken"].detail == (
        "products.ipynb: The file is empty; put the file that the student sends into "
        "submitted/4-broken/round, or remove products.ipynb there to give 0 points. "
        "sums.ipynb: The file breaks off in the middle, after 1 bytes; put the file that the "
        "student sends into submitted/4-broken/round, or remove sums.ipynb there to give 0 points."
    )


@pytest.mark.parametrize(
    ("student", "state", "scores", "by_hand", "late"),
    [
        ("1-right", "graded", [1, 6], 3, 0),
        ("2-endless", "graded", [0, 0], 0, 0),
        ("3-deadly", "graded", [0, 0], 0, 0),
        ("4-broken", "needs a person", [], 0, 0),
        ("5-scan", "needs a person", [], 0, 0),
        ("5-words", "graded", [0, 0], 0, 0),
        ("6-wrong", "graded", [0, 4], 0, 3600),
        ("7-absent", "absent", [], 0, 0),
    ],
)
def test_results(found, student, state, scores, by_hand, late):
    result = found[student]
    assert result.state == state
    assert [notebook.score for notebook in result.notebooks] == scores
    assert result.score == sum(scores)
    assert result.needs_manual == by_hand
    assert result.late_seconds == late


def test_missing_notebooks_are_told(found):
    assert found["1-right"].missing == ()
    assert found["5-words"].missing == ("products", "sums")
    assert found["2-endless"].notebooks[0] == NotebookResult("products", 0, 1, missing=True)


def test_lost_points_come_with_the_reason(found):
    assert found["1-right"].lost == ()
    (product, words) = found["6-wrong"].lost
    assert product == LostPoints("product-test", 0, 1, "products.ipynb was not handed in")
    assert (words.cell, words.score, words.max_score) == ("add-words", 0, 2)
    assert words.reason.startswith("ValueError: invalid literal for int()")


def test_endless_loop_is_told_in_words(found):
    reasons = {lost.cell: lost.reason for lost in found["2-endless"].lost}
    assert "this cell ran longer than 2 s" in reasons["add-test"]


def test_dead_kernel_is_told_in_words(found):
    reasons = {lost.cell: lost.reason for lost in found["3-deadly"].lost}
    assert reasons["add-test"] == "Stopped: the kernel died while it ran this cell."
    assert reasons["add-words"] == "Not run: the kernel died in an earlier cell."


def test_graded_work_is_hidden_from_other_users(graded):
    course = graded[0]
    assert (course.autograded / "1-right").stat().st_mode & 0o077 == 0


def test_other_files_stay_beside_the_graded_notebooks(graded):
    folder = graded[0].autograded / "1-right" / "round"
    assert (folder / "scan.pdf").read_text() == "a scan"


def test_feedback_is_written_for_the_graded(copy):
    assert feedback(copy, "round") == dict.fromkeys(
        ["1-right", "2-endless", "3-deadly", "6-wrong"], ""
    )
    assert "add-words" in (copy.feedback / "6-wrong" / "round" / "sums.html").read_text()


def test_feedback_that_fails_is_told_and_stops_nobody(copy):
    path = copy.autograded / "2-endless" / "round" / "sums.ipynb"
    path.chmod(0o600)
    path.write_text("{")
    outcomes = feedback(copy, "round")
    assert outcomes["2-endless"].startswith("sums.ipynb: ")
    assert outcomes["6-wrong"] == ""


def test_grades_are_written_for_the_owner_only(found, tmp_path):
    path = tmp_path / "grades.csv"
    write_grades(list(found.values()), path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["grades.csv"]
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert list(rows) == list(found)
    assert rows["6-wrong"] == {
        "student": "6-wrong",
        "name": "",
        "state": "graded",
        "products": "0",
        "sums": "4",
        "penalty": "0",
        "total": "4",
        "max": "10",
        "by_hand": "0",
        "late_seconds": "3600",
        "missing": "products",
        "why": "; ".join(why(found["6-wrong"])),
    }
    assert rows["6-wrong"]["why"].startswith(
        "1.0 h late; products.ipynb was not handed in; add-words -2: ValueError: "
    )
    assert rows["5-words"]["missing"] == "products sums"
    assert rows["5-scan"]["why"].startswith("needs a person: There is no notebook, only a PDF")
    assert rows["7-absent"]["name"] == "'=Aino Esimerkki"
    assert rows["7-absent"]["total"] == ""


def test_total_is_the_sum_of_the_notebooks_less_the_penalty(tmp_path):
    notebooks = tuple(NotebookResult(name, 5.0, 10.0, missing=False) for name in ("a", "b"))
    path = tmp_path / "grades.csv"
    write_grades([StudentResult("1", "", "graded", notebooks, penalty=2.5)], path)
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["a"], row["b"], row["penalty"], row["total"]) == ("5", "5", "2.5", "7.5")


@pytest.mark.parametrize(
    ("reason", "written"),
    [
        ("=A1", "'=A1"),
        ("got 3; expected -4 and a=b", "got 3; expected -4 and a=b"),
        ("x;=A1", "x;'=A1"),
        ("x; @A1;-1", "x; '@A1;'-1"),
    ],
)
def test_no_cell_of_the_file_is_a_formula_where_semicolons_separate(tmp_path, reason, written):
    path = tmp_path / "grades.csv"
    write_grades([StudentResult("1", reason, "absent")], path)
    with path.open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["name"] == written


def test_damaged_graded_notebook_is_told(copy):
    path = copy.autograded / "6-wrong" / "round" / "sums.ipynb"
    path.chmod(0o600)
    path.write_text("{")
    damaged = {result.student: result for result in results(copy, "round")}["6-wrong"]
    assert damaged.state == "not graded"
    assert "sums.ipynb is no notebook any more: " in damaged.trouble
    assert "grade it again" in damaged.trouble


def test_grading_a_student_who_handed_in_nothing(graded):
    (outcome,) = grade(graded[0], "round", Wanted(["7-absent"]))
    assert (outcome.status, outcome.detail) == ("not handed in", "Nothing of round was handed in.")


def test_points_given_by_hand_survive_grading_again(copy):
    confirm(copy, 2.5)
    (outcome,) = grade(copy, "round", Wanted(["1-right"], regrade=True))
    assert outcome.status == "graded"
    again = {result.student: result for result in results(copy, "round")}["1-right"]
    assert (again.score, again.needs_manual) == (9.5, 0)


def test_other_work_is_looked_at_again(copy):
    """Points given by hand stay, but a person must say that they still hold, however it ends."""
    confirm(copy, 2.5)
    work = copy.submitted / "1-right" / "round"
    (work / "scan.pdf").write_bytes(b"another")
    grade(copy, "round", Wanted(["1-right"], ["products"]))
    grade(copy, "round", Wanted(["1-right"]))
    grade(copy, "round", Wanted(["1-right"], regrade=True))
    again = {result.student: result for result in results(copy, "round")}["1-right"]
    assert (again.score, again.needs_manual) == (9.5, 3)


def test_points_for_code_given_by_hand_are_asked_again_if_the_judge_says_otherwise(copy):
    confirm(copy, 3, "add-test")
    with copy.gradebook() as gradebook:
        gradebook.find_grade("add-test", "sums", "round", "1-right").auto_score = 1
        gradebook.db.commit()
    grade(copy, "round", Wanted(["1-right"], regrade=True))
    with copy.gradebook() as gradebook:
        found = gradebook.find_grade("add-test", "sums", "round", "1-right")
        assert (found.manual_score, found.needs_manual_grade) == (3, True)


def confirm(course, points, cell="why"):
    """Give points in the formgrader."""
    with course.gradebook() as gradebook:
        given = gradebook.find_grade(cell, "sums", "round", "1-right")
        given.manual_score, given.needs_manual_grade = points, False
        gradebook.db.commit()


def give_by_hand(course, cell, notebook, student):
    """Give points and extra points as a person does, and write the feedback pages."""
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade(cell, notebook, "round", student)
        grade.manual_score, grade.extra_credit = 2.5, 1.0
        grade.notebook.late_submission_penalty = 0.5
        gradebook.db.commit()
    feedback(course, "round")


def test_submission_that_lost_its_notebooks_loses_their_points_and_pages(copy):
    give_by_hand(copy, "why", "sums", "1-right")
    for name in ("sums.ipynb", "products.ipynb", "scan.pdf"):
        (copy.submitted / "1-right" / "round" / name).unlink()
    assert [outcome.status for outcome in grade(copy, "round", Wanted(["1-right"]))] == [
        "not handed in"
    ]
    again = {result.student: result for result in results(copy, "round")}["1-right"]
    assert (again.state, again.score, again.penalty) == ("graded", 0, 0)
    assert [notebook.score for notebook in again.notebooks] == [0, 0]
    assert again.missing == ("products", "sums")
    assert not (copy.autograded / "1-right" / "round").exists()
    assert not (copy.feedback / "1-right" / "round").exists()


def test_submission_that_lost_one_notebook_loses_its_points_alone(copy):
    give_by_hand(copy, "product-test", "products", "1-right")
    (copy.submitted / "1-right" / "round" / "products.ipynb").unlink()
    (outcome,) = grade(copy, "round", Wanted(["1-right"]))
    assert outcome.status == "graded"
    assert "Points given by hand there are gone: product-test 2.5." in outcome.detail
    again = {result.student: result for result in results(copy, "round")}["1-right"]
    assert [notebook.score for notebook in again.notebooks] == [0, 6]
    assert again.penalty == 0


def test_work_that_is_damaged_later_counts_as_not_graded(copy):
    path = copy.submitted / "6-wrong" / "round" / "sums.ipynb"
    path.write_text("{")
    assert [outcome.status for outcome in grade(copy, "round", Wanted(["6-wrong"]))] == [
        NEEDS_PERSON
    ]
    again = {result.student: result for result in results(copy, "round")}
    assert again["6-wrong"].state == NEEDS_PERSON


def test_unreadable_notebook_beside_missing_ones_counts_as_not_graded(copy):
    folder = copy.submitted / "9-broken" / "round"
    folder.mkdir(parents=True)
    (folder / "sums.ipynb").write_text("{")
    assert [outcome.status for outcome in grade(copy, "round", Wanted(["9-broken"]))] == [
        NEEDS_PERSON
    ]
    again = {result.student: result for result in results(copy, "round")}
    assert again["9-broken"].state == NEEDS_PERSON


def test_work_collected_after_the_grading_is_told(copy):
    path = copy.submitted / "1-right" / "round" / "sums.ipynb"
    before = {result.student: result for result in results(copy, "round")}["1-right"]
    os.utime(path, (2**32, 2**32))
    after = {result.student: result for result in results(copy, "round")}["1-right"]
    assert not before.changed
    assert after.changed
    assert why(after)[0] == "changed since it was graded: run coursekit grade"


def test_time_of_an_earlier_submission_is_forgotten(copy):
    stamp = copy.submitted / "1-right" / "round" / "timestamp.txt"
    late = []
    for text in ("2035-01-01 00:00:00 UTC", None):
        stamp.unlink(missing_ok=True)
        if text:
            stamp.write_text(text)
        grade(copy, "round", Wanted(["1-right"]))
        again = {result.student: result for result in results(copy, "round")}["1-right"]
        late.append(again.late_seconds > 0)
    assert late == [True, False]


def test_what_is_graded_is_not_graded_again(copy):
    before = results(copy, "round")
    outcomes = {outcome.student: outcome.status for outcome in grade(copy, "round")}
    assert outcomes == {
        "1-right": "kept",
        "2-endless": "kept",
        "3-deadly": "kept",
        "4-broken": "needs a person",
        "5-scan": "needs a person",
        "5-words": "not handed in",
        "6-wrong": "kept",
    }
    assert results(copy, "round") == before


def test_grading_that_was_broken_off_goes_on(copy):
    """A student whose points were not saved yet counts as not graded, and is graded again."""
    (copy.autograded / "1-right" / "round" / STATE).write_text("")
    shutil.rmtree(copy.autograded / "6-wrong" / "round")
    states = {result.student: result.state for result in results(copy, "round")}
    assert (states["1-right"], states["6-wrong"]) == ("not graded", "not graded")
    outcomes = grade(copy, "round", Wanted(["1-right", "2-endless", "6-wrong"]))
    assert [outcome.status for outcome in outcomes] == ["graded", "kept", "graded"]
    assert not any(map(unfinished, copy.autograded.glob("*/round")))


def test_grading_before_the_release_is_refused(course):
    with pytest.raises(CourseError, match="coursekit release round"):
        grade(course, "round")


def test_reason_is_one_printable_line(released):
    source = 'def add(a, b):\n    raise ValueError("\\x1b[2J" + "long\\n" * 99)'
    folder = released.submitted / "1" / "round"
    folder.mkdir(parents=True)
    (folder / "sums.ipynb").write_text(answer(released, "sums", {"add": source}))
    grade(released, "round")
    reason = results(released, "round")[0].lost[1].reason
    assert reason.isprintable()
    assert reason.startswith("ValueError: [2J")
    assert len(reason) <= 200


def test_release_again_keeps_the_grades(copy):
    before = results(copy, "round")
    release(copy, "round")
    assert results(copy, "round") == before


def test_graded_notebook_holds_the_student_s_answer(graded):
    path = graded[0].autograded / "1-right" / "round" / "sums.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    assert cells[1].source == RIGHT
    assert "== 42" in cells[2].source
