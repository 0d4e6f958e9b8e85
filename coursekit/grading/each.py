"""Write something for each graded student, several at a time."""

import signal
import threading
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from glob import escape
from multiprocessing import forkserver, get_context
from pathlib import Path

from coursekit.course import Course, private_files
from coursekit.errors import KitError
from coursekit.grading.interrupt import PATIENCE, Interrupt
from coursekit.grading.todo import unfinished
from coursekit.grading.trouble import told
from coursekit.processors import processors

SERIAL = 3
"""As many students' files are written before another process has started."""


def write_for_each(
    write: Callable[..., None],
    course: Course,
    assignment: str,
    students: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
    **options,
) -> dict[str, str]:
    """Call a function for each student whose work is graded as a whole.

    Parameters
    ----------
    write : callable
        A function of a module, called with course, assignment and student, and the options. What
        it writes can be read by the owner only; what it raises stops nobody else.
    course : Course
    assignment : str
    students : collection of str
        Only these; by default all.
    progress : callable, optional
        Called with the number of students done and of all.
    workers : int, optional
        Students at a time; by default one for each processor.
    **options
        More arguments of `write`.

    Returns
    -------
    dict
        For each student an empty string, or the sentence why nothing could be written.

    Raises
    ------
    CourseError
        If the assignment was never released.
    KitError
        If a student who is asked for is not graded, or a process was ended from outside.
    """
    course.released_assignment(assignment)
    graded = _graded(course, assignment)
    if others := sorted(set(students) - set(graded)):
        raise KitError(
            f"Not graded: {', '.join(others)}; under {course.autograded} stands who is, and "
            f"coursekit grade {assignment} grades the others."
        )
    chosen = [student for student in graded if not students or student in students]
    tell = progress or (lambda done, total: None)
    if len(chosen) <= SERIAL:
        outcomes = {}
        for student in chosen:
            outcomes[student] = _outcome(write, course, assignment, student, options)
            tell(len(outcomes), len(chosen))
        return outcomes
    outcomes = dict.fromkeys(chosen, "")
    with Interrupt() as interrupt, _pool(write.__module__, workers or processors()) as pool:
        futures = {
            pool.submit(_outcome_there, write, course.root, assignment, student, options): student
            for student in chosen
        }
        left = set(futures)
        try:
            while left:
                done, left = wait(left, PATIENCE, return_when=FIRST_COMPLETED)
                outcomes |= {futures[future]: future.result() for future in done}
                tell(len(chosen) - len(left), len(chosen))
                interrupt.check()
        except BrokenProcessPool:
            raise KitError(
                "A process that writes feedback was ended from outside; run the same command again."
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)
    return outcomes


def _graded(course: Course, assignment: str) -> list[str]:
    folders = sorted(course.autograded.glob(f"*/{escape(assignment)}/"))
    return [folder.parent.name for folder in folders if not unfinished(folder)]


def _pool(module: str, workers: int) -> ProcessPoolExecutor:
    """Start processes that leave Ctrl-C to this one."""
    context = get_context("forkserver")  # a fork of this process might copy a lock that is held
    context.set_forkserver_preload([module])
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


def _outcome(write, course, assignment, student, options) -> str:
    try:
        with private_files():
            write(course, assignment, student, **options)
    except Exception as problem:
        return told(problem)
    return ""


def _outcome_there(write, root, assignment, student, options) -> str:
    """Do the same in another process."""
    return _outcome(write, _course(root), assignment, student, options)


@lru_cache(maxsize=1)
def _course(root: Path) -> Course:
    return Course(root)
