"""Grade the invented class the whole way, in a course folder of its own."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from coursekit.course import CONFIG_FILE, Course
from coursekit.demo.download import DEADLINE, download_zip, scan, worksheet
from coursekit.demo.handing_in import Student, hand_in, read_students
from coursekit.errors import KitError
from coursekit.grading.autograde import grade
from coursekit.grading.feedback import feedback
from coursekit.grading.outcome import Outcome
from coursekit.grading.results import StudentResult, results, write_grades
from coursekit.kernels.launcher import launcher
from coursekit.mycourses.collect import collect
from coursekit.release import release

ASSIGNMENT = "round09"
MARKER = ".made-by-coursekit-demo"
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__")

# Appended to the demo's copy of nbgrader_config.py.
SETTINGS = """

# --- The demo's own settings ------------------------------------------------------------------
# Everything stays in this folder, whatever folders or gradebook the course itself names.
for place in list(c.CourseDirectory):
    if place in ("db_url", "directory_structure") or place.endswith("_directory"):
        del c.CourseDirectory[place]
# One student's loop never ends, and the demo need not wait for it as long as a real grading: in
# everybody else's notebooks no cell takes more than about two seconds.
c.BoundedExecute.cell_timeout = 8
c.BoundedExecute.notebook_timeout = 40
"""


@dataclass(frozen=True)
class Demo:
    """What a run of the demo made.

    Attributes
    ----------
    course : Course
        The demo's own.
    students : list of Student
    outcomes : list of Outcome
        One for each student who handed something in.
    results : list of StudentResult
    grades : Path
        The CSV file of all grades.
    """

    course: Course
    students: list[Student]
    outcomes: list[Outcome]
    results: list[StudentResult]
    grades: Path


def run(
    course_root: Path,
    folder: Path,
    students: list[str] | None = None,
    report: Callable[[str], None] = print,
    sandboxed: bool = True,
) -> Demo:
    """Release, pack a MyCourses download, collect, grade, and write feedback and grades.

    Parameters
    ----------
    course_root : Path
        The course whose notebooks are taken; nothing in it is changed.
    folder : Path
        The demo's course folder: made anew, and therefore only replaced if an earlier run made it.
    students : list of str, optional
        Only these, by the names of their files.
    report : callable, optional
        Told in one line what is going on.
    sandboxed : bool, optional
        Whether the students' code runs in the sandbox.

    Returns
    -------
    Demo

    Raises
    ------
    KitError
        If the course has no such round, a student's name is unknown, or the folder holds
        something that no earlier run made.
    """
    group = read_students(students)
    if sandboxed:
        launcher()  # a machine without the sandbox is told before an earlier demo is removed
    course = make_course(course_root, folder)
    if not sandboxed:
        course.give_up_sandbox()
    released = release(course, ASSIGNMENT, DEADLINE)
    report(f"Released    {len(released.files)} files, due {DEADLINE:%Y-%m-%d %H:%M}")

    handed_in = {student: _files(student, course, released.folder) for student in group}
    mycourses = course.root / "mycourses"
    mycourses.mkdir()
    download, sheet = mycourses / "submissions.zip", mycourses / "worksheet.csv"
    download.write_bytes(download_zip(handed_in))
    sheet.write_bytes(worksheet(handed_in))
    collected = collect(course, ASSIGNMENT, download, sheet)
    report(
        f"Collected   {len(collected.submissions)} submissions of {len(group)} students "
        "from a MyCourses zip and worksheet"
    )

    outcomes = grade(course, ASSIGNMENT, progress=_progress(group, report))
    pages = feedback(course, ASSIGNMENT)
    report(f"Feedback    pages of {len(pages)} students")
    found = results(course, ASSIGNMENT)
    grades = course.root / "grades.csv"
    write_grades(found, grades)
    return Demo(course, group, outcomes, found, grades)


def make_course(course_root: Path, folder: Path) -> Course:
    """Make the demo's course folder: the round's source and the configuration of a course.

    Parameters
    ----------
    course_root, folder : Path
        As in `run`.

    Returns
    -------
    Course

    Raises
    ------
    KitError
        As in `run`.
    """
    origin = Course(course_root)
    source = origin.source / origin.assignment(ASSIGNMENT)
    folder = Path(folder)
    if folder.is_symlink() or folder.exists():
        if folder.is_symlink() or not (folder / MARKER).is_file():
            raise KitError(
                f"{folder} is in the way: no run of the demo made it; move it somewhere else."
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARKER).touch()
    shutil.copytree(source, folder / "source" / ASSIGNMENT, ignore=NOT_COPIED)
    config = (origin.root / CONFIG_FILE).read_text("utf-8")
    (folder / CONFIG_FILE).write_text(config + SETTINGS, "utf-8")
    requirements = origin.root / "requirements.txt"
    if requirements.is_file():
        shutil.copyfile(requirements, folder / requirements.name)
    return Course(folder)


def _files(student: Student, course: Course, release: Path) -> dict[str, bytes]:
    notebooks = hand_in(student, course.source / ASSIGNMENT, release)
    files = {name: text.encode() for name, text in notebooks.items()}
    if student.scan:
        files["exercise1.pdf"] = scan(["Exercise 1", "The drawing of the network"])
    return files


def _progress(
    group: list[Student], report: Callable[[str], None]
) -> Callable[[int, int, Outcome], None]:
    """Report each student's grading and how long it took."""
    keys = {student.number: student.key for student in group}
    before = perf_counter()

    def progress(done: int, total: int, outcome: Outcome):
        nonlocal before
        now = perf_counter()
        line = (
            f"Graded      {done:2}/{total}  {outcome.student}  {keys[outcome.student]:18} "
            f"{now - before:5.1f} s  {outcome.detail}"
        )
        before = now
        report(line.rstrip())

    return progress
