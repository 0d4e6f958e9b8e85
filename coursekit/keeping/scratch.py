"""A folder for what is half made, and what killed commands left in such folders."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coursekit.course import Course, private_files

PREFIX = "scratch-"


@contextmanager
def scratch_folder(course: Course) -> Iterator[Path]:
    """Make a folder that git ignores and its owner alone can read, for the time of a command.

    Parameters
    ----------
    course : Course
        Locked by `coursekit.lock.alone`, so that what is there already is a remnant.

    Yields
    ------
    Path
    """
    remove_remnants(course)
    with (
        private_files(),
        tempfile.TemporaryDirectory(prefix=PREFIX, dir=course.root / ".coursekit") as folder,
    ):
        yield Path(folder)


def remove_remnants(course: Course) -> None:
    """Remove the scratch folders of commands that were killed.

    Parameters
    ----------
    course : Course
        Locked, as above.
    """
    for folder in (course.root / ".coursekit").glob(f"{PREFIX}*"):
        shutil.rmtree(folder)
