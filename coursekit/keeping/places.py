"""Where a course may hold something of a student."""

import glob
import os
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

from nbgrader.apps import ZipCollectApp

import coursekit
from coursekit.course import Course

REMNANT = ".*.new"  # half a file, of whose words nobody knows
# What the kit makes of a whole class, from the course on, and the commands that make it again.
PRODUCTS = {
    "/grades.csv": "coursekit grades",
    "/mycourses.csv": "nbgrader export",
    "/build/*-feedback.zip": "coursekit feedback --zip",
    "/build/*-feedback-[0-9]*.zip": "coursekit feedback --zip",
    "/build/report/*/*": "coursekit report",
    REMNANT: "the command that was killed",
}
NOT_STUDENTS = {".git", "__pycache__"}
ENVIRONMENT = "pyvenv.cfg"  # in a folder of installed packages


def of_student(course: Course, student: str) -> Iterator[Path]:
    """List the folders that would be one student's alone.

    Parameters
    ----------
    course : Course
    student : str

    Yields
    ------
    Path
    """
    for step in (course.submitted, course.autograded, course.feedback):
        yield step / student
    settings = {
        name: course.config.ZipCollectApp.get(name, getattr(ZipCollectApp, name).default_value)
        for name in ("collect_directory_structure", "downloaded_directory", "extracted_directory")
    }
    extracted = settings["collect_directory_structure"].format(
        downloaded=settings["downloaded_directory"],
        assignment_id="*",
        collect_step=settings["extracted_directory"],
    )
    for folder in sorted(glob.glob(os.path.join(glob.escape(str(course.root)), extracted))):
        yield Path(folder) / student


def everywhere(course: Course, without: Collection[Path]) -> Iterator[Path]:
    """List the files of the course that may name a student: no link, nor anything of the kit.

    Parameters
    ----------
    course : Course
    without : collection of Path
        Files and folders that are passed over.

    Yields
    ------
    Path
    """
    passed = {*without, course.source, course.release, Path(coursekit.__file__).parent}
    for place, folders, names in os.walk(course.root):
        here = Path(place)
        folders[:] = sorted(
            name
            for name in folders
            if name not in NOT_STUDENTS
            and here / name not in passed
            and not (here / name / ENVIRONMENT).exists()
        )
        for path in (here / name for name in sorted(names)):
            if path not in passed and path.is_file() and not path.is_symlink():
                yield path


def command_of(course: Course, path: Path) -> str:
    """Tell which command makes a file again; empty, if it is none of the kit's.

    Parameters
    ----------
    course : Course
    path : Path

    Returns
    -------
    str
    """
    place = PurePosixPath("/") / path.relative_to(course.root)
    return next((command for pattern, command in PRODUCTS.items() if place.match(pattern)), "")
