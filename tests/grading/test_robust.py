"""What goes wrong with one student, or in between, costs nobody else and no points."""

import os
import shutil
import sqlite3
from datetime import datetime

import pytest

from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading import submission
from coursekit.grading.autograde import Wanted, grade
from coursekit.grading.feedback import feedback
from coursekit.grading.gradebook import OpenGradebook
from coursekit.grading.results import results
from coursekit.grading.together import OverwriteCells
from coursekit.lock import alone

from ..conftest import answer

RIGHT = "def add(a, b):\n    return a + b"
WRONG = "def add(a, b):\n    return 0"
STUDENTS = ("anna", "ben", "carla")


@pytest.fixture
def course(released):
    """The tiny course; three students, all right."""
    for student in STUDENTS:
        hand_in(released, student, RIGHT)
    return released


def hand_in(course: Course, student: str, source: str):
    folder = course.submitted / student / "round"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sums.ipynb").write_text(answer(course, "sums", {"add": source}))
    (folder / "products.ipynb").write_text(answer(course, "products", {"product": "product = 6"}))
    return folder


def found(course):
    return {result.student: result for result in results(course, "round")}


def scores(course):
    return {student: result.score for student, result in found(course).items()}


def statuses(outcomes):
    return {outcome.student: outcome.status for outcome in outcomes}


def broken_once(monkeypatch, owner, name, problem):
    """Let a function fail at its first call."""
    function, calls = getattr(owner, name), []

    def fail(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 1:
            raise problem
        return function(*arguments, **options)

    monkeypatch.setattr(owner, name, fail)


@pytest.mark.parametrize(
    ("owner", "name", "problem"),
    [
        (OverwriteCells, "preprocess_cell", RuntimeError("odd")),
        (OpenGradebook, "update_or_create_submission", RuntimeError("odd")),
        (submission, "note_left", OSError(5, "no")),
        (submission, "forget_graded", OSError(5, "no")),
        (submission.finding, "find_notebooks", MemoryError()),
        (submission, "give_nothing", RuntimeError("odd")),
        (submission.Submission, "end", OSError(5, "no")),
    ],
)
def test_failure_of_one_student_stops_nobody(course, monkeypatch, owner, name, problem):
    with monkeypatch.context() as patch:
        broken_once(patch, owner, name, problem)
        told = statuses(grade(course, "round", workers=1))
    assert sorted(told.values()) == ["failed", "graded", "graded"]
    assert statuses(grade(course, "round"))["anna"] in ("graded", "kept")
    assert scores(course) == dict.fromkeys(STUDENTS, 7)


def test_locked_gradebook_fails_one_student_with_a_sentence(course, monkeypatch):
    """The formgrader may be writing at that moment."""
    problem = sqlite3.OperationalError("database is locked")
    problem.sqlite_errorname = "SQLITE_BUSY"
    from sqlalchemy.exc import OperationalError

    broken_once(
        monkeypatch, OpenGradebook, "find_source_cell", OperationalError("SELECT", {}, problem)
    )
    outcomes = grade(course, "round", workers=1)
    assert sorted(statuses(outcomes).values()) == ["failed", "graded", "graded"]
    (failed,) = (outcome for outcome in outcomes if outcome.status == "failed")
    assert failed.detail.endswith(
        "another program was writing to the gradebook (the formgrader?); grade this student again."
    )


def test_graded_folder_that_cannot_be_looked_at_fails_one_student(course, monkeypatch):
    look = submission.left_to_grade

    def refused(course, assignment, student):
        if student == "ben":
            raise PermissionError(13, "Permission denied")
        return look(course, assignment, student)

    monkeypatch.setattr(submission, "left_to_grade", refused)
    assert statuses(grade(course, "round")) == {
        "anna": "graded",
        "ben": "failed",
        "carla": "graded",
    }


def test_folder_in_the_way_fails_one_student(course):
    course.autograded.mkdir()
    (course.autograded / "ben").write_text("")
    assert statuses(grade(course, "round")) == {
        "anna": "graded",
        "ben": "failed",
        "carla": "graded",
    }


@pytest.mark.parametrize("broken_at", ["note_left", "forget_graded", "convert"])
@pytest.mark.parametrize("notebooks", [(), ("sums",)])
def test_grading_again_that_ends_between_two_steps_is_not_taken_for_done(
    course, monkeypatch, broken_at, notebooks
):
    grade(course, "round")
    hand_in(course, "anna", WRONG)
    with monkeypatch.context() as patch:
        broken_once(patch, submission, broken_at, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            grade(course, "round", Wanted(["anna"], notebooks))
    shown = found(course)["anna"]
    assert shown.state == "not graded" or shown.changed
    grade(course, "round")
    assert scores(course) == {"anna": 1, "ben": 7, "carla": 7}


def test_work_that_is_collected_while_it_is_graded_is_graded_next_time(course, monkeypatch):
    end = submission.Submission.end

    def collect_and_end(self):
        if self.student == "anna":
            hand_in(course, "anna", WRONG)
        return end(self)

    with monkeypatch.context() as patch:
        patch.setattr(submission.Submission, "end", collect_and_end)
        grade(course, "round")
    assert found(course)["anna"].changed
    assert statuses(grade(course, "round")) == {"anna": "graded", "ben": "kept", "carla": "kept"}
    assert scores(course)["anna"] == 1


def test_points_of_work_that_is_not_there_any_more_are_not_shown(course):
    grade(course, "round")
    feedback(course, "round")
    folder = course.submitted / "anna" / "round"
    for path in folder.iterdir():
        path.unlink()
    (folder / "scan.pdf").touch()
    assert statuses(grade(course, "round"))["anna"] == "needs a person"
    assert found(course)["anna"].state == "needs a person"
    assert not (course.feedback / "anna" / "round").exists()
    (folder / "scan.pdf").unlink()
    assert found(course)["anna"].state == "not graded"
    assert statuses(grade(course, "round"))["anna"] == "not handed in"
    assert (found(course)["anna"].state, scores(course)["anna"]) == ("graded", 0)


def test_pages_of_points_that_do_not_count_any_more_are_removed(course, monkeypatch):
    """Whatever becomes of the new grading: they would be handed back."""
    grade(course, "round")
    feedback(course, "round")
    broken_once(monkeypatch, OverwriteCells, "preprocess_cell", RuntimeError("odd"))
    (failed,) = grade(course, "round", Wanted(["anna"], regrade=True))
    assert failed.status == "failed"
    assert not (course.feedback / "anna" / "round").exists()
    assert (course.feedback / "ben" / "round").is_dir()


def test_single_notebook_that_a_student_does_not_have(course):
    """It is worth nothing then, and points by hand for the others stay."""
    grade(course, "round")
    with course.gradebook() as gradebook:
        gradebook.find_grade("product-test", "products", "round", "ben").manual_score = 0.5
        gradebook.db.commit()
    for student in ("anna", "ben"):
        (course.submitted / student / "round" / "products.ipynb").unlink()
    (anna,) = grade(course, "round", Wanted(["anna"], ["products"]))
    assert anna.status == "graded"
    assert anna.detail == "Not handed in, 0 points: products.ipynb. Still to grade: sums.ipynb."
    (ben,) = grade(course, "round", Wanted(["ben"], ["sums"]))
    assert ben.detail == "Still to grade: products.ipynb."
    with course.gradebook() as gradebook:
        grade_ = gradebook.find_grade("product-test", "products", "round", "ben")
        assert grade_.manual_score == 0.5
    grade(course, "round")
    assert scores(course) == {"anna": 6, "ben": 6, "carla": 7}


def test_links_and_odd_files_are_not_copied_to_where_student_code_runs(course):
    folder = course.submitted / "anna" / "round"
    (folder / "book.txt").symlink_to(course.root / "gradebook.db")
    (folder / "nowhere.txt").symlink_to("No space left on device")
    os.mkfifo(folder / "pipe")
    (folder / "helper.py").mkdir()
    (folder / "helper.py" / "x.txt").touch()
    (folder / "data").mkdir()
    (folder / "data" / "mine.csv").write_text("1,2")
    assert statuses(grade(course, "round"))["anna"] == "graded"
    graded = course.autograded / "anna" / "round"
    names = {str(path.relative_to(graded)) for path in graded.rglob("*") if path.is_file()}
    assert names - {".coursekit.json"} == {
        "data/mine.csv",
        "helper.py",
        "products.ipynb",
        "sums.ipynb",
    }


@pytest.mark.parametrize(
    "text", ["0001-01-01 00:00:00 Europe/Helsinki", "9" * 30, "yesterday", "\0", "9999-12-31 23:59"]
)
def test_time_of_submission_that_is_none_needs_a_person_or_counts(course, text):
    (course.submitted / "anna" / "round" / "timestamp.txt").write_text(text)
    told = statuses(grade(course, "round"))
    assert told["anna"] in ("needs a person", "graded")
    assert (told["ben"], told["carla"]) == ("graded", "graded")
    assert found(course)["anna"].state == told["anna"]


def test_forged_verdict_in_a_cell_of_its_own_shows_nothing(course):
    source = (
        "from IPython.display import publish_display_data\n"
        "def add(a, b):\n"
        "    publish_display_data({'text/plain': 'x'}, {'coursekit': {'findings': [{'a': 1}]}})\n"
        "    return 0"
    )
    hand_in(course, "anna", source)
    grade(course, "round", Wanted(["anna"]))
    assert all("x" not in lost.reason for lost in found(course)["anna"].lost)


def test_only_one_grading_at_a_time(course):
    with alone(course), pytest.raises(KitError, match="Another coursekit command is at work"):
        grade(course, "round")
    assert statuses(grade(course, "round")) == dict.fromkeys(STUDENTS, "graded")


def test_excluded_students_are_left_out_as_nbgrader_does(course):
    course.config.CourseDirectory.student_id_exclude = "ben,dora"
    assert statuses(grade(course, "round")) == {"anna": "graded", "carla": "graded"}


def test_time_without_a_zone_is_in_utc(course):
    assert grade(course, "round", Wanted(since=datetime(2999, 1, 1))) == []


def test_hook_after_the_grading_runs_once_when_all_is_saved(course):
    seen = []

    def hook(**_):
        with course.gradebook() as gradebook:
            notebooks = gradebook.find_submission("round", "anna").notebooks
            seen.append(sum(notebook.score for notebook in notebooks))

    course.config.Autograde.post_convert_hook = hook
    grade(course, "round", Wanted(["anna"]))
    assert seen == [7]


def test_graded_course_that_was_copied_stays_graded(course, tmp_path):
    grade(course, "round")
    copy = Course(shutil.copytree(course.root, tmp_path / "copy"))
    assert set(statuses(grade(copy, "round")).values()) == {"kept"}
