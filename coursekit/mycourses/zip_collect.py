"""Plugins by which ``nbgrader zip_collect`` takes the zip of MyCourses."""

import os
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from nbgrader.plugins import ExtractorPlugin, FileNameCollectorPlugin

from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading.finding import FOUND, find_notebooks
from coursekit.grading.released import released_notebooks
from coursekit.lock import alone
from coursekit.mycourses.download import Download, Ignored, open_download
from coursekit.mycourses.entries import EntryError, shown, unpack
from coursekit.mycourses.owners import Belongings, by_student
from coursekit.mycourses.roster import enrol
from coursekit.mycourses.telling import Discretion, one_sentence
from coursekit.mycourses.worksheet import Participant, read_worksheet


class MyCoursesExtractor(ExtractorPlugin):
    """Unpack the zip of "Download all submissions" for ``nbgrader zip_collect``.

    Each student's files go into a folder named by the participant number. A notebook that has
    another name, or lies in a sub-folder, gets the name and place of the one that it is. A grading
    worksheet beside the zip brings the names and e-mail addresses into the gradebook.
    """

    def extract(self, archive_path: str, extracted_path: str) -> None:
        """Unpack the one zip of a folder; what may not be unpacked is left out and counted."""
        os.umask(0o077)  # also for what nbgrader copies from here into submitted/
        os.chmod(extracted_path, 0o700)
        coursedir = self.parent.coursedir
        submitted = os.path.join(coursedir.root, coursedir.submitted_directory)
        self.log.addFilter(Discretion(self.log, [submitted, extracted_path]))
        with one_sentence(self):
            zips = _by_suffix(Path(archive_path), ".zip")
            if len(zips) != 1:
                raise KitError(
                    f"Expected in {archive_path} the one zip of 'Download all submissions', got "
                    f"{len(zips)}; leave the newest there."
                )
            course = Course(coursedir.root)
            assignment = course.assignment(coursedir.assignment_id)
            released = released_notebooks(course, assignment)
            with alone(course):
                self._unpack_all(zips[0], course, released, Path(extracted_path))

    def _unpack_all(self, path: Path, course: Course, released: dict, extracted: Path):
        participants = _worksheet(path.parent, course)
        with open_download(path) as download:
            belongings, ignored = by_student(download, participants)
            notes = enrol(course, participants.values())
            for student, own in belongings.items():
                folder = extracted / student
                ignored += _unpack(download, student, own, folder)
                for sentence in [*own.told, *_rename_notebooks(folder, released)]:
                    self.log.debug("%s: %s", student, sentence)
        self.log.info("Unpacked the work of %s students", len(belongings))
        self._tell(ignored, notes)

    def _tell(self, ignored: list[Ignored], notes: list[str]):
        """Say what was left out; names and numbers only where somebody is looking for them."""
        for sentence in [*map(str, ignored), *notes]:
            self.log.debug("%s", sentence)
        reasons = Counter(one.reason.partition(":")[0] for one in ignored)
        for reason, count in reasons.items():
            self.log.warning("%s left out (--debug tells which): %s", count, reason)
        if notes:
            self.log.warning(
                "%s with another name or address than in the gradebook (--debug tells who, and "
                "what was kept)",
                len(notes),
            )


class MyCoursesCollector(FileNameCollectorPlugin):
    """Tell ``nbgrader zip_collect`` whose a file is that `MyCoursesExtractor` unpacked.

    A grading worksheet beside the zip gives the times of submission.
    """

    def collect(self, submitted_file: str) -> dict[str, str]:
        """Tell the student, the path in the student's folder, and the time if it is known."""
        student, *rest = Path(submitted_file).relative_to(self._folder("extracted")).parts
        told = {"student_id": student, "file_id": str(Path(*rest))}
        participant = self._participants.get(student)
        if participant and participant.submitted:
            told["timestamp"] = f"{participant.submitted:%Y-%m-%d %H:%M:%S} UTC"
        return told

    def _folder(self, step: str) -> Path:
        app = self.parent
        place = app.collect_directory_structure.format(
            downloaded=app.downloaded_directory,
            assignment_id=app.coursedir.assignment_id,
            collect_step=getattr(app, f"{step}_directory"),
        )
        return Path(app.coursedir.root, place)

    @cached_property
    def _participants(self) -> dict[str, Participant]:
        """The rows of the worksheet by participant number; none without a worksheet."""
        with one_sentence(self):
            participants = _worksheet(self._folder("archive"), Course(self.parent.coursedir.root))
        if not participants:
            self.log.warning("No worksheet beside the zip: the times of submission are unknown")
        return participants


def _by_suffix(folder: Path, suffix: str) -> list[Path]:
    """List a folder's files with a suffix, without those that a system hides."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() == suffix and path.is_file() and not path.name.startswith(".")
    )


def _worksheet(folder: Path, course: Course) -> dict[str, Participant]:
    """Read the one grading worksheet of a folder; nobody, if there is none."""
    sheets = _by_suffix(folder, ".csv")
    if len(sheets) > 1:
        raise KitError(
            f"Expected one grading worksheet in {folder}, got {len(sheets)}; leave the newest."
        )
    try:
        return read_worksheet(sheets[0], course) if sheets else {}
    except KitError as problem:
        raise KitError(
            f"{sheets[0]} cannot be read (--debug tells why): set the language of MyCourses to "
            "English and download the grading worksheet again, not saved from a spreadsheet."
        ) from problem


def _unpack(download: Download, student: str, own: Belongings, folder: Path) -> Iterator[Ignored]:
    """Unpack one student's files; tell what cannot be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, packed in sorted(own.files.items()):
        try:
            content = unpack(download.archive, packed)
        except EntryError as problem:
            yield Ignored(student, str(name), str(problem))
            continue
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _rename_notebooks(folder: Path, released: dict) -> list[str]:
    """Give each notebook the name by which nbgrader looks for it, and tell which had another."""
    renamed = []
    for name, found in find_notebooks(folder, released).items():
        target = folder / f"{name}.ipynb"
        place = folder / found.path
        if found.status == FOUND and place.is_file() and not os.path.lexists(target):
            os.rename(place, target)
            renamed.append(f"{shown(found.path)} is {name}.ipynb.")
    return renamed
