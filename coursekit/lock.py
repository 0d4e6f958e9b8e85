"""Only one command at a time changes a course."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from coursekit.course import Course, private_files
from coursekit.errors import KitError


@contextmanager
def alone(course: Course) -> Iterator[None]:
    """Keep other commands out of a course: each would undo or miss what the other does.

    Parameters
    ----------
    course : Course

    Raises
    ------
    KitError
        If another process is at work in the course.
    """
    lock = course.root / ".coursekit" / "grading.lock"
    with private_files():
        lock.parent.mkdir(exist_ok=True)
        lock.touch()
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise KitError(
                f"Another coursekit command is at work in {course.root}; wait for its end."
            ) from None
        yield
