"""Remove one student from a course, and tell what was there and what still names them."""

import html
import json
import os
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import MissingEntry, Student
from sqlalchemy.engine import make_url

from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading.autograde import alone


@dataclass(frozen=True)
class Traces:
    """What a course holds of one student.

    Attributes
    ----------
    student : str
    places : tuple of Path
        Folders that are the student's alone.
    rows : dict of str to int
        What the gradebook holds, counted by its kind; empty if it does not know the student.
    mentions : tuple of Path
        Files of many students that name this one, or seem to; they are never changed.
    others : tuple of str
        Ids with the same e-mail or ID number: the same person in another assignment.
    """

    student: str
    places: tuple[Path, ...]
    rows: dict[str, int]
    mentions: tuple[Path, ...]
    others: tuple[str, ...] = ()

    def __bool__(self):
        """Tell whether there is anything to remove."""
        return bool(self.places or self.rows)


def find_traces(course: Course, student: str) -> Traces:
    """Look for everything that a course holds of one student; change nothing.

    Parameters
    ----------
    course : Course
    student : str
        The id: with MyCourses, the participant number.

    Returns
    -------
    Traces

    Raises
    ------
    KitError
        If the id cannot be a student's, or the gradebook cannot be read.
    """
    if student in ("", ".", "..") or not {"/", "\\", "\0"}.isdisjoint(student):
        raise KitError(
            f"{student!r} is no student's id; give the name of a folder under {course.submitted}."
        )
    places = [course.submitted / student, course.autograded / student, course.feedback / student]
    places += [folder / student for folder in _extracted(course)]
    rows, words, others = {}, {student}, ()
    if _gradebook_file(course).is_file():
        with course.gradebook() as gradebook:
            try:
                known = gradebook.find_student(student)
            except MissingEntry:
                pass
            else:
                rows = _rows(known)
                words |= _words(known)
                others = tuple(one.id for one in gradebook.students if _same_person(one, known))
    there = tuple(place for place in places if os.path.lexists(place))
    return Traces(student, there, rows, tuple(_mentions(course, words)), others)


def forget(course: Course, student: str) -> Traces:
    """Remove one student's work, feedback and points.

    After an interruption the same call removes what is left. The gradebook is written anew as a
    whole, because SQLite leaves the bytes of removed rows in its file.

    Parameters
    ----------
    course : Course
    student : str

    Returns
    -------
    Traces
        What was there. Its `mentions` are there still.

    Raises
    ------
    KitError
        If there is nothing of this student, the id cannot be one, a grading is at work, or the
        gradebook cannot be written.
    """
    with alone(course):
        traces = find_traces(course, student)
        for place in traces.places:
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()
        # Last, for it alone knows the name and the e-mail by which `mentions` are found.
        if traces.rows:
            with course.gradebook() as gradebook:
                gradebook.remove_student(student)
        _clear_free_pages(_gradebook_file(course))
    if not traces:
        raise KitError(
            f"There is nothing of {student!r} in {course.root}: either it is removed already, or "
            "this is not the id; coursekit grades prints the ids."
        )
    return traces


def _extracted(course: Course) -> Iterator[Path]:
    """List where nbgrader zip_collect unpacks the downloads of each assignment."""
    downloaded = course.root / "downloaded"
    for folder in downloaded.iterdir() if downloaded.is_dir() else ():
        yield folder / "extracted"


def _gradebook_file(course: Course) -> Path:
    url = make_url(course.directory().db_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise KitError(
            f"The gradebook {url} is not an SQLite file; remove the student with its own tools."
        )
    return Path(url.database)


def _rows(student: Student) -> dict[str, int]:
    """Count what the gradebook holds of a student."""
    notebooks = [book for submission in student.submissions for book in submission.notebooks]
    return {
        "student": 1,
        "submissions": len(student.submissions),
        "notebooks": len(notebooks),
        "grades": sum(len(notebook.grades) for notebook in notebooks),
        "comments": sum(len(notebook.comments) for notebook in notebooks),
    }


def _same_person(one: Student, other: Student) -> bool:
    """Tell whether two ids are one person's; MyCourses gives another in each assignment."""
    known = [(one.email, other.email), (one.lms_user_id, other.lms_user_id)]
    return one.id != other.id and any(
        mine and theirs and mine.casefold() == theirs.casefold() for mine, theirs in known
    )


def _words(student: Student) -> set[str]:
    """Return what a file may call a student; a lone first or last name is too common."""
    names = [student.first_name, student.last_name]
    full = [" ".join(names), ", ".join(reversed(names))] if all(names) else []
    return {word for word in [*full, student.email, student.lms_user_id] if word}


def _clear_free_pages(path: Path):
    """Write an SQLite file anew, without the bytes of what was removed from it."""
    if not path.is_file():
        return
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("PRAGMA temp_store = MEMORY")  # no copy in another folder
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # where it keeps a log of changes
    except sqlite3.DatabaseError as problem:
        raise KitError(
            f"{path} cannot be cleared of what was removed ({problem}); close the formgrader and "
            "whatever else has it open, then give the same command again."
        ) from problem


def _mentions(course: Course, words: set[str]) -> Iterator[Path]:
    """List the course's other files that name a student."""
    search = _search(words)
    gradebook = _gradebook_file(course)
    for path in sorted(_shared_files(course)):
        if path != gradebook and path.is_file() and not path.is_symlink() and _holds(path, search):
            yield path


def _shared_files(course: Course) -> Iterator[Path]:
    """List the files in which several students may be named."""
    yield from course.root.iterdir()
    yield from (course.root / ".coursekit").rglob("*")
    yield from course.build.rglob("*")
    yield from (course.root / "downloaded").glob("*/archive/*")


def _search(words: set[str]) -> re.Pattern:
    """Make a pattern for whole words, as text, HTML and JSON write them."""
    written = {form for word in words for form in (word, html.escape(word), json.dumps(word)[1:-1])}
    forms = (re.escape(form.encode(errors="surrogateescape")) for form in sorted(written))
    return re.compile(rb"(?<![0-9A-Za-z])(?:" + b"|".join(forms) + rb")(?![0-9A-Za-z])")


def _holds(path: Path, search: re.Pattern) -> bool:
    """Tell whether a file, or a file in a zip, holds a word in its name or in its text."""
    if search.search(os.fsencode(path.name)):
        return True
    try:
        with zipfile.ZipFile(path) as archive:
            return any(
                search.search(entry.filename.encode(errors="surrogateescape"))
                or search.search(archive.read(entry))
                for entry in archive.infolist()
            )
    except (zipfile.BadZipFile, RuntimeError, EOFError, ValueError):
        return search.search(path.read_bytes()) is not None
