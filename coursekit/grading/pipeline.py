"""Grade a class: this process sanitises, judges and saves; workers run the students' code."""

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path

from nbgrader.utils import rmtree, setenv

from coursekit.conversion import convert
from coursekit.course import Course, private_files
from coursekit.errors import KitError
from coursekit.grading.absent import (
    forget_unknown_time,
    give_nothing,
    record_without_notebooks,
)
from coursekit.grading.halves import HALF_DONE, FirstHalf, Posed, SecondHalf
from coursekit.grading.outcome import FAILED, GRADED, MISSING, Outcome
from coursekit.grading.running import Job, run_in_thread
from coursekit.kernels.launcher import launcher

# The sections of the configuration that running a notebook needs.
SETTINGS = (
    *("BoundedExecute", "Execute", "ExecutePreprocessor", "NotebookClient"),
    *("CourseDirectory", "PoseChallenges", "SandboxProvisioner"),
)
AHEAD = 2  # notebooks posed for each worker: enough to keep it busy, few enough to fit in memory


@dataclass
class _Student:
    """A student whose notebooks are running.

    Attributes
    ----------
    missing : list of str
        Notebooks that were not handed in.
    left : int
        Notebooks that still run.
    ran : dict
        Text of each `Posed` notebook after its run.
    problem : str
        Why it cannot be graded.
    """

    missing: list[str]
    left: int
    ran: dict[Posed, str] = field(default_factory=dict)
    problem: str = ""


class Pipeline:
    """The grading of a class.

    Parameters
    ----------
    course : Course
    assignment : str
    workers : int, optional
        Notebooks that run at a time; by default one for each processor this process may use.
    """

    def __init__(self, course: Course, assignment: str, workers: int | None = None):
        self._course, self._assignment = course, assignment
        self._workers = workers or _processors()
        self._settings = {name: dict(course.config[name]) for name in SETTINGS}
        self._running: dict[Future, tuple[str, Posed]] = {}
        self._students: dict[str, _Student] = {}

    def run(self, students: Iterable[str], told: Callable[[Outcome], None]) -> None:
        """Grade students, whatever happens to each.

        Parameters
        ----------
        students : iterable of str
        told : callable
            Told the outcome of each student, in the order in which they are done.
        """
        waiting = deque(students)
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="grading")
        try:
            with private_files(), setenv(NBGRADER_EXECUTION="autograde"):
                while waiting or self._running:
                    while waiting and len(self._running) < AHEAD * self._workers:
                        self._begin(waiting.popleft(), pool, told)
                    done, _ = wait(self._running, return_when=FIRST_COMPLETED)
                    for future in done:
                        self._take(future, told)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            if self._course.sandboxed:
                launcher().close()  # ends the kernels, and with them the threads
            raise
        finally:
            pool.shutdown()

    def _begin(self, student, pool, told):
        folder = self._course.submitted / student / self._assignment
        if not folder.is_dir():
            told(Outcome(student, MISSING, f"Nothing of {self._assignment} was handed in."))
            return
        expected = self._course.notebooks(self._assignment)
        missing = [name for name in expected if not (folder / f"{name}.ipynb").is_file()]
        if missing == expected:
            record_without_notebooks(self._course, self._assignment, student)
            told(Outcome(student, MISSING, "No notebook was handed in: 0 points."))
            return
        forget_unknown_time(self._course, self._assignment, student)
        try:
            posed = self._convert(FirstHalf, student).posed
        except KitError as problem:
            told(Outcome(student, FAILED, str(problem)))
            return
        self._students[student] = _Student(missing, len(posed))
        for notebook in posed:
            job = Job(notebook.text, str(notebook.path.parent), self._settings)
            self._running[pool.submit(run_in_thread, job)] = student, notebook

    def _take(self, future, told):
        name, posed = self._running.pop(future)
        student = self._students[name]
        student.left -= 1
        try:
            student.ran[posed] = future.result()
        except Exception as problem:  # of a kernel that would not start, say
            kind = "" if isinstance(problem, KitError) else f"{type(problem).__name__}: "
            student.problem = student.problem or f"{posed.path.name}: {kind}{problem}"
        if not student.left:
            told(self._end(name, self._students.pop(name)))

    def _end(self, name, student):
        """Judge and save what a student's notebooks answered."""
        if not student.problem:
            try:
                self._convert(SecondHalf, name, ran=student.ran)
            except KitError as problem:
                student.problem = str(problem)
        folder = self._course.autograded / name / self._assignment
        if student.problem:
            if folder.is_dir():
                rmtree(str(folder))
            return Outcome(name, FAILED, student.problem)
        detail = ""
        if student.missing:
            give_nothing(self._course, self._assignment, name, student.missing)
            names = ", ".join(f"{notebook}.ipynb" for notebook in student.missing)
            detail = f"Not handed in, 0 points: {names}."
        (folder / HALF_DONE).unlink()  # last: from here on the student counts as graded
        return Outcome(name, GRADED, detail)

    def _convert(self, half, student, **others):
        return convert(half, self._course, self._assignment, escape(student), **others)


def _processors() -> int:
    """Count the processors that this process may use, or all where the system does not tell."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # on macOS and Windows
        return os.cpu_count() or 1


def is_graded(course: Course, assignment: str, student: str) -> bool:
    """Tell whether what a student handed in last is graded.

    Parameters
    ----------
    course : Course
    assignment, student : str

    Returns
    -------
    bool
    """
    work = course.submitted / student / assignment
    folder = course.autograded / student / assignment
    names = [f"{name}.ipynb" for name in course.notebooks(assignment)]
    handed_in = [name for name in names if (work / name).is_file()]
    graded = [name for name in names if (folder / name).is_file()]
    times = {course.directory().get_existing_timestamp(str(place)) for place in (work, folder)}
    return (
        bool(handed_in)
        and handed_in == graded
        and len(times) == 1
        and not (folder / HALF_DONE).exists()
        and all(_time(folder / name) >= _time(work / name) for name in handed_in)
    )


def _time(path: Path) -> float:
    return path.stat().st_mtime
