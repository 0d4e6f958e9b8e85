"""Bring MyCourses' submissions into the course, and tell what is in them."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from nbformat import NotebookNode

from coursekit.course import Course, private_files
from coursekit.grading.finding import FOUND, MISSING, NEEDS_PERSON, Found, find_notebooks
from coursekit.grading.released import released_notebooks
from coursekit.lock import alone
from coursekit.mycourses.download import (
    ONLINE_TEXT,
    Download,
    DownloadError,
    Ignored,
    open_download,
)
from coursekit.mycourses.entries import EntryError, shown, unpack
from coursekit.mycourses.owners import TIMESTAMP, Belongings, by_student
from coursekit.mycourses.placing import CHANGED, OLDER, REFUSED, UNDATED, place, put_back
from coursekit.mycourses.roster import enrol
from coursekit.mycourses.worksheet import Participant, read_worksheet

ALL_REFUSED = (
    "Nothing that the download holds could be taken, and nothing was written; ask the student, or "
    "put the files under submitted/ yourself."
)
STAYS = {
    OLDER: "The work under submitted/ was handed in later than this download tells and stays; to "
    "take the older one, remove that folder and collect again.",
    UNDATED: "The work under submitted/ is another one, of a known time, and stays: the time of "
    "this one is unknown; collect again with --worksheet, or, to take this one all the same, "
    "remove that folder first.",
}
WITHOUT_WORKSHEET = (
    "Without --worksheet the times of submission are unknown, and the number of a group cannot be "
    "told from that of a participant: give it where groups hand in."
)


@dataclass(frozen=True)
class Submission:
    """What one student handed in.

    Attributes
    ----------
    student : str
        The participant number, which is nbgrader's student id.
    notebooks, missing : tuple of str
        Names, without ``.ipynb``, of the assignment's notebooks that are there and that are not.
    unclear : tuple of str
        A sentence for whatever a person has to look at before the other notebooks can be graded.
    told : tuple of str
        Sentences on what was found under another name, or among several files, or beside the
        files, and on earlier work that was graded or stays.
    change : str
        ``new``, ``changed`` or ``unchanged``, compared with what had been collected before;
        ``older`` where that was handed in later, and stays; ``undated`` where its time is known
        and that of this is not, and it stays; ``refused`` where nothing was taken.
    files : tuple of str
        Names of the files that are new, other or gone since the last collection.
    """

    student: str
    notebooks: tuple[str, ...]
    missing: tuple[str, ...]
    unclear: tuple[str, ...]
    told: tuple[str, ...]
    change: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Collected:
    """What a download brought.

    Attributes
    ----------
    submissions : tuple of Submission
    ignored : tuple of Ignored
    absent : tuple of str
        Participants of the worksheet who handed nothing in.
    staying : tuple of str
        Students of whom the download holds nothing, while earlier work is there and stays.
    unknown : tuple of str
        Students of the download whom the worksheet does not list.
    notes : tuple of str
        Sentences on the whole: what the roster could not take, and what a worksheet would tell.
    """

    submissions: tuple[Submission, ...]
    ignored: tuple[Ignored, ...]
    absent: tuple[str, ...]
    staying: tuple[str, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...] = ()


def collect(
    course: Course, assignment: str, download_zip: Path, worksheet: Path | None = None
) -> Collected:
    """Unpack a MyCourses download into ``submitted/<participant number>/<assignment>``.

    A student's folder is replaced as a whole, and only when something in it differs and the work
    there was not handed in later, so that collecting again is safe. Every file keeps its own name
    and sub-folder, and what was graded stays until it is graded again. The notebooks are looked
    for as the grading does it; without a release they are known by their names alone.

    Parameters
    ----------
    course : Course
    assignment : str
    download_zip : Path
        The zip of "Download all submissions".
    worksheet : Path, optional
        The grading worksheet: gives the times of submission, the members of groups, and names for
        the gradebook.

    Returns
    -------
    Collected

    Raises
    ------
    KitError
        If the zip, the worksheet or a notebook of the release cannot be read, the worksheet is of
        another assignment, the disk is too small, or another command is at work in the course;
        nothing is written then.
    """
    participants = {} if worksheet is None else read_worksheet(worksheet, course)
    is_released = (course.release / assignment).is_dir()
    released = released_notebooks(course, assignment) if is_released else None
    with alone(course), open_download(download_zip) as download, private_files():
        belongings, ignored = by_student(download, participants)
        _check_room(course, download_zip, belongings)
        put_back(course)
        notes = enrol(course, participants.values()) if participants else [WITHOUT_WORKSHEET]
        collector = _Collector(course, assignment, download, released, ignored)
        submissions = tuple(
            collector.submission(student, own, participants.get(student))
            for student, own in belongings.items()
        )
        there = [folder.parent.name for folder in course.submissions(assignment)]
        return Collected(
            submissions,
            tuple(ignored),
            absent=tuple(s for s in participants if s not in belongings and s not in there),
            staying=tuple(student for student in there if student not in belongings),
            unknown=tuple(s for s in belongings if participants and s not in participants),
            notes=tuple(notes),
        )


def _check_room(course: Course, download_zip: Path, belongings: Mapping[str, Belongings]):
    """Refuse a download that would fill the disk."""
    needed = sum(one.file_size for own in belongings.values() for one in own.files.values())
    free = shutil.disk_usage(course.root).free
    if needed > free:
        raise DownloadError(
            f"{download_zip} unpacks to {needed >> 20} MB, and {course.root} has room for "
            f"{free >> 20} MB; make room and collect again."
        )


@dataclass(frozen=True)
class _Collector:
    """What is the same for all students of one collection."""

    course: Course
    assignment: str
    download: Download
    released: Mapping[str, NotebookNode] | None
    ignored: list[Ignored]

    def submission(
        self, student: str, own: Belongings, participant: Participant | None
    ) -> Submission:
        """Write one student's folder and say what is in it."""
        course, assignment = self.course, self.assignment
        folder = course.submitted / student / assignment
        submitted = participant.submitted if participant else None
        told = list(own.told)
        contents = self._contents(student, own, folder, told)
        placed = place(course, assignment, student, contents, submitted)
        found = _find(folder, course.notebooks(assignment), self.released)
        by_status = {
            status: {name: one for name, one in found.items() if one.status == status}
            for status in (FOUND, MISSING, NEEDS_PERSON)
        }
        if any(path.parts[0] == ONLINE_TEXT for path in own.files):
            told.append(f"There is an online text too, in {ONLINE_TEXT}; it is not graded.")
        if placed.change in STAYS:
            told.append(STAYS[placed.change])
        unclear = _sentences(by_status[NEEDS_PERSON])
        if placed.change == REFUSED:
            by_status[MISSING] = {}
            unclear = (*unclear, ALL_REFUSED)
        if placed.change == CHANGED and any(
            (course.autograded / student / assignment).glob("*.ipynb")
        ):
            told.append(
                "It was graded before it changed; the points stay until coursekit grade is run."
            )
        return Submission(
            student,
            tuple(by_status[FOUND]),
            tuple(by_status[MISSING]),
            unclear,
            (*_sentences(by_status[FOUND]), *told),
            placed.change,
            placed.files,
        )

    def _contents(
        self, student: str, own: Belongings, folder: Path, told: list[str]
    ) -> Iterator[tuple[PurePosixPath, bytes]]:
        """Unpack a student's files; in the place of one that is refused, the earlier one stays."""
        taken = {str(part) for path in own.files for part in (path, *path.parents)}
        refused = {one.name for one in self.ignored if one.student == student} - taken
        for path, packed in sorted(own.files.items()):
            try:
                yield path, unpack(self.download.archive, packed)
            except EntryError as problem:
                self.ignored.append(Ignored(student, str(path), str(problem)))
                refused.add(str(path))
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if name in refused and name != TIMESTAMP and path.is_file():
                told.append(f"{shown(name)} stays as it was collected before.")
                yield PurePosixPath(name), path.read_bytes()


def _find(
    folder: Path, expected: list[str], released: Mapping[str, NotebookNode] | None
) -> dict[str, Found]:
    """Look for the notebooks in a student's folder."""
    if released is not None:
        return find_notebooks(folder, released)
    names = {path.name for path in folder.rglob("*.ipynb")}
    return {name: Found(FOUND if f"{name}.ipynb" in names else MISSING) for name in expected}


def _sentences(found: Mapping[str, Found]) -> tuple[str, ...]:
    """Join the sentences on several notebooks; what holds for all of them is told once."""
    return tuple(dict.fromkeys(told for one in found.values() for told in one.sentences))
