"""Remove one student from a course, and tell what was there and what still names them."""

import os
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import MissingEntry, Student
from sqlalchemy.engine import make_url

from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading.wording import listing
from coursekit.keeping.places import REMNANT, command_of, everywhere, of_student
from coursekit.keeping.scratch import remove_remnants
from coursekit.keeping.search import Search
from coursekit.lock import alone


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
    products : dict of Path to str
        Files of many students that name this one, or seem to, or are half written, and the
        command that makes each again; removed, too.
    mentions : tuple of Path
        Other files that name the student, or seem to; they are never changed.
    others : tuple of str
        Ids with the same e-mail or ID number: the same person in another assignment.
    unsearched : tuple of Path
        Files that are damaged, locked or too large, so that part of them was not searched.
    """

    student: str
    places: tuple[Path, ...]
    rows: dict[str, int]
    products: dict[Path, str]
    mentions: tuple[Path, ...]
    others: tuple[str, ...] = ()
    unsearched: tuple[Path, ...] = ()

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
    rows, words, others = {}, {student}, ()
    gradebook_file = _gradebook_file(course)
    if gradebook_file.is_file():
        with course.gradebook() as gradebook:
            try:
                known = gradebook.find_student(student)
            except MissingEntry:
                pass
            else:
                rows = _rows(known)
                words |= _words(known)
                others = tuple(one.id for one in gradebook.students if _same_person(one, known))
    places = tuple(filter(os.path.lexists, of_student(course, student)))
    beside = [Path(f"{gradebook_file}{end}") for end in ("", "-wal", "-shm", "-journal")]
    search = Search(words)
    named = [
        path
        for path in everywhere(course, [*places, *beside])
        if path.match(REMNANT) or search.finds(path)
    ]
    commands = {path: command_of(course, path) for path in named}
    return Traces(
        student,
        places,
        rows,
        {path: command for path, command in commands.items() if command},
        tuple(path for path, command in commands.items() if not command),
        others,
        tuple(search.incomplete),
    )


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
        What was there. Its `mentions` are there still. A file of many students that the kit makes
        again is removed, since a later call would not know the name by which to find it.

    Raises
    ------
    KitError
        If there is nothing of this student, the id cannot be one, a grading is at work, or the
        gradebook cannot be written.
    """
    with alone(course):
        remove_remnants(course)  # each may hold a copy of the gradebook
        traces = find_traces(course, student)
        if traces:
            for path in traces.products:
                path.unlink()
        for place in traces.places:
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()
        # Last, for it alone knows the name and the e-mail by which other files are found.
        if traces.rows:
            with course.gradebook() as gradebook:
                gradebook.remove_student(student)
        _clear_free_pages(_gradebook_file(course))
    if not traces:
        holding = [*traces.products, *traces.mentions]
        names = [str(path.relative_to(course.root)) for path in holding]
        raise KitError(
            f"There is nothing of {student!r} in {course.root}: either it is removed already, or "
            "this is not the id; coursekit grades prints the ids."
            + (f" These files hold that word: {listing(names)}." if names else "")
        )
    return traces


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
