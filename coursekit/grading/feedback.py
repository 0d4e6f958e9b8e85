"""Write the feedback pages of the graded students, several at a time."""

import signal
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from glob import escape
from multiprocessing import forkserver, get_context
from pathlib import Path

from nbgrader.converters import GenerateFeedback

from coursekit.conversion import convert, take_one_submission
from coursekit.course import Course, private_files
from coursekit.errors import KitError
from coursekit.grading.interrupt import PATIENCE, Interrupt
from coursekit.grading.todo import unfinished
from coursekit.processors import processors

SERIAL = 3
"""As many students' pages are written before another process has started."""


class _Feedback(GenerateFeedback):
    """nbgrader's, for students with any id."""

    def init_notebooks(self):
        """Take the student's graded notebooks."""
        take_one_submission(self, self._input_directory)


def feedback(
    course: Course,
    assignment: str,
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> dict[str, str]:
    """Write ``feedback/<student>/<assignment>/*.html`` for every graded student.

    Parameters
    ----------
    course : Course
    assignment : str
    progress : callable, optional
        Called with the number of students done and of all.
    workers : int, optional
        Students at a time; by default one for each processor.

    Returns
    -------
    dict
        For each graded student an empty string, or the sentence why there is no feedback.

    Raises
    ------
    CourseError
        If the assignment was never released.
    """
    course.released_assignment(assignment)
    folders = sorted(course.autograded.glob(f"*/{escape(assignment)}/"))
    students = [folder.parent.name for folder in folders if not unfinished(folder)]
    told = progress or (lambda done, total: None)
    if len(students) <= SERIAL:
        outcomes = {}
        for student in students:
            outcomes[student] = _write(course, assignment, student)
            told(len(outcomes), len(students))
        return outcomes
    with Interrupt() as interrupt, _pool(workers or processors()) as pool:
        futures = {
            pool.submit(_write_there, course.root, assignment, student): student
            for student in students
        }
        outcomes, left = dict.fromkeys(students, ""), set(futures)
        try:
            while left:
                done, left = wait(left, PATIENCE, return_when=FIRST_COMPLETED)
                outcomes |= {futures[future]: future.result() for future in done}
                told(len(students) - len(left), len(students))
                interrupt.check()
        except BrokenProcessPool:
            raise KitError(
                "A process that writes feedback was ended from outside; run the same command again."
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)
    return outcomes


def _pool(workers):
    """Start processes that leave Ctrl-C to this one."""
    context = get_context("forkserver")  # a fork of this process might copy a lock that is held
    context.set_forkserver_preload([__name__])
    in_main_thread = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if in_main_thread else None
    try:
        forkserver.ensure_running()
    finally:
        if in_main_thread:
            signal.signal(signal.SIGINT, before)
    return ProcessPoolExecutor(
        workers,
        mp_context=context,
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_IGN),
    )


def _write(course, assignment, student):
    """Write one student's pages; say why if that fails."""
    try:
        with private_files():
            convert(_Feedback, course, assignment, student)
    except KitError as problem:
        return str(problem)
    return ""


def _write_there(root, assignment, student):
    """Do the same in another process."""
    return _write(_course(root), assignment, student)


@lru_cache(maxsize=1)
def _course(root: Path) -> Course:
    return Course(root)
