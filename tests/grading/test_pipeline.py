"""The class in parallel gives what nbgrader gives one after the other, and survives its end."""

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime

import nbformat
import psutil
import pytest
from nbgrader import preprocessors as stock
from nbgrader.converters import Autograde
from sqlalchemy.exc import OperationalError

from coursekit.conversion import convert
from coursekit.course import CONFIG_FILE, Course
from coursekit.errors import KitError
from coursekit.grading import each, gradebook, halves
from coursekit.grading.autograde import Wanted, grade
from coursekit.grading.feedback import feedback
from coursekit.grading.pipeline import Pipeline
from coursekit.grading.results import results
from coursekit.grading.todo import STATE, unfinished
from coursekit.judging import seeds
from coursekit.processors import processors
from coursekit.release import release

from ..attacks.attacks import HONEST
from ..attacks.test_handed_in import CONFIG, source_notebook
from ..conftest import answer

RIGHT = "def add(a, b):\n    return a + b"
SLOW = "import time\ntime.sleep(1)\n" + RIGHT
ANSWERS = {
    "anna": RIGHT,
    "ben": "def add(a, b):\n    return 0",
    "carla": "import os\nos._exit(1)",
    "dora": 'print("x" * 10**6)\n' + RIGHT,
    "emil": "def add(a, b):\n    while True:\n        pass",
}


@pytest.fixture
def judged(tmp_path):
    """A course with the judge and the configuration of the kit; three students."""
    root = tmp_path / "judged"
    (root / "source" / "round").mkdir(parents=True)
    shutil.copy(CONFIG, root)
    nbformat.write(source_notebook(), root / "source" / "round" / "tasks.ipynb")
    course = Course(root)
    release(course, "round")
    for student, change in (("right", "y2 - t"), ("wrong", "y2 + t"), ("dead", "os._exit(0)")):
        notebook = nbformat.read(course.release / "round" / "tasks.ipynb", as_version=4)
        notebook.cells[1].source = HONEST.replace("np.zeros(10)", change) + "\nimport os\n"
        folder = course.submitted / student / "round"
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / "tasks.ipynb")
    return course


@pytest.fixture
def handed_in(released):
    """The tiny course, with five students."""
    for student, source in ANSWERS.items():
        folder = released.submitted / student / "round"
        folder.mkdir(parents=True)
        (folder / "sums.ipynb").write_text(answer(released, "sums", {"add": source}))
        (folder / "products.ipynb").write_text(
            answer(released, "products", {"product": "product = 6"})
        )
    return released


def gradebook_of(course):
    """Give all that the gradebook says, but for ids, which are drawn at random."""
    with sqlite3.connect(course.root / "gradebook.db") as database:
        rows = database.execute(
            "SELECT s.student_id, b.name, c.name, g.auto_score, g.manual_score, g.extra_credit,"
            " g.needs_manual_grade, n.late_submission_penalty, s.timestamp"
            " FROM grade g JOIN submitted_notebook n ON g.notebook_id = n.id"
            " JOIN submitted_assignment s ON n.assignment_id = s.id"
            " JOIN notebook b ON n.notebook_id = b.id JOIN base_cell c ON g.cell_id = c.id"
        ).fetchall()
        comments = database.execute("SELECT auto_comment, manual_comment FROM comment").fetchall()
    return sorted(rows, key=str), sorted(comments, key=str)


def graded_files_of(course):
    """Read what the grading wrote, but for the times at which cells ran."""
    files = {path.relative_to(course.autograded): path for path in course.autograded.rglob("*.*")}
    return {
        name: without_times(path)
        for name, path in files.items()
        if path.is_file() and path.name != STATE  # nbgrader knows nothing of it
    }


def without_times(path):
    if path.suffix != ".ipynb":
        return path.read_bytes()
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    return notebook


@pytest.mark.parametrize("name", ["judged", "handed_in"])
def test_parallel_grading_gives_what_nbgrader_gives(name, request, monkeypatch, tmp_path):
    monkeypatch.setattr(seeds, "run", lambda: "the same run")
    ours = request.getfixturevalue(name)
    seeds.course_secret(ours.root / ".coursekit" / "secret")
    theirs = Course(shutil.copytree(ours.root, tmp_path / "theirs"))
    outcomes = grade(ours, "round", workers=3)
    assert {outcome.status for outcome in outcomes} == {"graded"}
    for folder in theirs.submissions("round"):
        convert(Autograde, theirs, "round", folder.parent.name)
    assert gradebook_of(ours) == gradebook_of(theirs)
    assert graded_files_of(ours) == graded_files_of(theirs)


def test_student_whose_kernel_does_not_start_fails_alone(handed_in, monkeypatch):
    from coursekit.grading import running

    run = running.run_in_thread

    def refuse(job):
        if "return 0" in job.notebook:
            raise RuntimeError("The kernel did not answer.")
        return run(job)

    monkeypatch.setattr(running, "run_in_thread", refuse)
    outcomes = {outcome.student: outcome for outcome in grade(handed_in, "round")}
    assert outcomes["ben"].status == "failed"
    assert outcomes["ben"].detail == "sums.ipynb: RuntimeError: The kernel did not answer."
    assert not (handed_in.autograded / "ben" / "round").exists()
    assert {outcomes[other].status for other in outcomes if other != "ben"} == {"graded"}


def test_no_more_notebooks_wait_in_memory_than_the_workers_need(handed_in, monkeypatch):
    most = 0
    begin = Pipeline._begin

    def counting(self, *arguments):
        nonlocal most
        begin(self, *arguments)
        most = max(most, len(self._running))

    monkeypatch.setattr(Pipeline, "_begin", counting)
    grade(handed_in, "round", workers=1)
    assert most <= 3  # two for the worker, and the rest of the last student's


def test_ctrl_c_ends_a_kernel_without_sandbox_too(handed_in):
    with (handed_in.root / CONFIG_FILE).open("a") as config:
        config.write("c.BoundedExecute.cell_timeout = 100\n")
    stuck = answer(handed_in, "sums", {"add": 'open("stuck", "w")\nwhile True:\n    pass'})
    (handed_in.submitted / "anna" / "round" / "sums.ipynb").write_text(stuck)
    command = [sys.executable, "-m", "coursekit", "grade", "round", "--workers", "1"]
    with subprocess.Popen(
        [*command, "--unsafe-no-sandbox", "--student", "anna", "--course", handed_in.root],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as grading:
        wait_for((handed_in.autograded / "anna" / "round" / "stuck").exists)
        below = psutil.Process(grading.pid).children(recursive=True)
        assert below
        grading.send_signal(signal.SIGINT)
        _, said = grading.communicate(timeout=50)
    assert grading.returncode == 1
    assert b"Traceback" not in said
    assert not any(child.is_running() for child in below)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_grading_that_is_ended_in_the_middle_leaves_nothing_and_goes_on(handed_in, how):
    for number in range(4):
        folder = handed_in.submitted / f"slow-{number}" / "round"
        folder.mkdir(parents=True)
        (folder / "sums.ipynb").write_text(answer(handed_in, "sums", {"add": SLOW}))
    command = [sys.executable, "-m", "coursekit", "grade", "round", "--workers", "1"]
    with subprocess.Popen(
        [*command, "--course", handed_in.root], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as grading:
        wait_for(lambda: list(handed_in.autograded.glob("slow-1/round/sums.ipynb")))
        below = psutil.Process(grading.pid).children(recursive=True)
        assert below
        grading.send_signal(how)
        _, said = grading.communicate()
    assert grading.returncode == (1 if how == signal.SIGINT else -9)
    assert b"Traceback" not in said
    wait_for(lambda: not any(process.is_running() for process in below))
    assert any(map(unfinished, handed_in.autograded.glob("*/round")))
    with sqlite3.connect(handed_in.root / "gradebook.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    outcomes = {outcome.student: outcome.status for outcome in grade(handed_in, "round")}
    assert outcomes["anna"] == "kept"
    assert outcomes["slow-3"] == "graded"
    scores = {result.student: result.score for result in results(handed_in, "round")}
    assert {scores[f"slow-{number}"] for number in range(4)} == {6}
    assert (scores["anna"], scores["ben"]) == (7, 1)


def wait_for(condition):
    """Wait until a condition holds, which it must in a minute."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_processors_are_those_that_the_system_allows(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 2, 5})
    assert processors() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert processors() == 7


def test_student_counts_as_graded_only_when_all_is_saved(handed_in, monkeypatch):
    """Also the zeros for a notebook that a later submission lacks."""
    from coursekit.grading import submission

    def broken_off(*arguments):
        raise KeyboardInterrupt

    grade(handed_in, "round", Wanted(["anna"]))
    (handed_in.submitted / "anna" / "round" / "products.ipynb").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(submission, "give_nothing", broken_off)
        with pytest.raises(KeyboardInterrupt):
            grade(handed_in, "round", Wanted(["anna"]))
    assert results(handed_in, "round")[0].state == "not graded"
    assert [outcome.status for outcome in grade(handed_in, "round", Wanted(["anna"]))] == ["graded"]


def no_space(*arguments, **options):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def database_full(*arguments, **options):
    problem = sqlite3.OperationalError("database or disk is full")
    problem.sqlite_errorname = "SQLITE_FULL"
    raise OperationalError("COMMIT", {}, problem)


@pytest.mark.parametrize(
    ("place", "failure"),
    [
        ((halves, "replace_whole"), no_space),
        ((gradebook._Session, "save"), database_full),
        ((stock.SaveAutoGrades, "_add_score"), database_full),
    ],
    ids=["a file", "the end of a transaction", "a cell"],
)
def test_full_disk_stops_the_run_with_a_sentence_and_costs_nobody(
    handed_in, monkeypatch, place, failure
):
    grade(handed_in, "round", Wanted(["anna"]))
    before = results(handed_in, "round")[0]
    with monkeypatch.context() as patch:
        patch.setattr(*place, failure)
        with pytest.raises(KitError, match=r"The disk is full .*the same command goes on"):
            grade(handed_in, "round")
    assert results(handed_in, "round")[0] == before
    assert all(result.state == "not graded" for result in results(handed_in, "round")[1:])
    outcomes = {outcome.student: outcome.status for outcome in grade(handed_in, "round")}
    assert outcomes == {"anna": "kept"} | dict.fromkeys(list(ANSWERS)[1:], "graded")


def test_transaction_that_fails_leaves_the_gradebook_as_it_was(handed_in, monkeypatch):
    """Not even the points of the first notebook are saved if those of the second cannot be."""
    grade(handed_in, "round", Wanted(["ben"]))
    before = gradebook_of(handed_in)
    source = answer(handed_in, "sums", {"add": RIGHT})
    (handed_in.submitted / "ben" / "round" / "sums.ipynb").write_text(source)
    calls = []
    add_score = stock.SaveAutoGrades._add_score

    def fail_at_last(self, *arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise RuntimeError("one cell too many")
        add_score(self, *arguments)

    monkeypatch.setattr(stock.SaveAutoGrades, "_add_score", fail_at_last)
    (outcome,) = grade(handed_in, "round", Wanted(["ben"]))
    assert (outcome.status, outcome.detail) == (
        "failed",
        "sums.ipynb: RuntimeError: one cell too many",
    )
    assert gradebook_of(handed_in) == before


def score(course, student):
    return {result.student: result for result in results(course, "round")}[student]


def test_single_notebook_is_graded_and_the_others_wait(handed_in):
    (outcome,) = grade(handed_in, "round", Wanted(["anna"], ["sums.ipynb"]))
    assert (outcome.status, outcome.notebooks) == ("graded", 1)
    assert score(handed_in, "anna").state == "not graded"
    (outcome,) = grade(handed_in, "round", Wanted(["anna"]))
    assert (outcome.status, outcome.notebooks) == ("graded", 1)
    assert score(handed_in, "anna").score == 7
    assert grade(handed_in, "round", Wanted(["anna"], ["sums"]))[0].status == "kept"


def test_single_notebook_is_graded_again_and_the_others_stay(handed_in):
    grade(handed_in, "round", Wanted(["anna"]))
    folder = handed_in.autograded / "anna" / "round"
    times = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.ipynb")}
    with handed_in.gradebook() as gradebook:
        gradebook.find_grade("product-test", "products", "round", "anna").manual_score = 0.5
        gradebook.db.commit()
    (outcome,) = grade(handed_in, "round", Wanted(["anna"], ["sums"], regrade=True))
    assert (outcome.status, outcome.notebooks) == ("graded", 1)
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.ipynb")}
    assert after["products.ipynb"] == times["products.ipynb"]
    assert after["sums.ipynb"] > times["sums.ipynb"]
    assert score(handed_in, "anna").score == 6.5


def test_notebook_that_the_round_does_not_have_is_told(handed_in):
    with pytest.raises(KitError, match="no notebook 'sum'; it has products, sums"):
        grade(handed_in, "round", Wanted(notebooks=["sum"]))


def test_only_what_was_handed_in_since_is_graded(handed_in):
    for student, clock in (("anna", "10:00"), ("ben", "12:00:01"), ("carla", "11:59")):
        folder = handed_in.submitted / student / "round"
        (folder / "timestamp.txt").write_text(f"2035-01-01 {clock} UTC")
    os.utime(handed_in.submitted / "dora" / "round", (2**31, 2**31))  # collected in 2038
    since = datetime(2035, 1, 1, 12, tzinfo=UTC)
    outcomes = grade(handed_in, "round", Wanted(since=since))
    assert [outcome.student for outcome in outcomes] == ["ben", "dora"]


def test_feedback_of_a_class_is_that_of_each_student(handed_in, monkeypatch):
    """Written in other processes, and in this one."""
    grade(handed_in, "round")
    assert feedback(handed_in, "round") == dict.fromkeys(ANSWERS, "")
    together = {path: path.read_bytes() for path in handed_in.feedback.rglob("*.html")}
    assert len(together) == 10
    monkeypatch.setattr(each, "SERIAL", len(ANSWERS))
    assert feedback(handed_in, "round") == dict.fromkeys(ANSWERS, "")
    assert {path: path.read_bytes() for path in handed_in.feedback.rglob("*.html")} == together
