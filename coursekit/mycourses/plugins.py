"""Plugins by which stock nbgrader commands take MyCourses' download and write its gradebook CSV."""

import csv
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from nbgrader.api import Gradebook, Student, SubmittedAssignment
from nbgrader.plugins import BasePlugin, ExportPlugin, ExtractorPlugin, FileNameCollectorPlugin
from traitlets import Bool, Unicode

from coursekit.course import Course, private_files
from coursekit.errors import KitError
from coursekit.grading.finding import FOUND, find_notebooks
from coursekit.grading.released import released_notebooks
from coursekit.grading.results import FORMULA_START
from coursekit.grading.student import points
from coursekit.mycourses.download import Download, Ignored, open_download
from coursekit.mycourses.entries import EntryError, shown, unpack
from coursekit.mycourses.owners import Belongings, by_student
from coursekit.mycourses.roster import enrol
from coursekit.mycourses.worksheet import Participant, read_worksheet

WRITTEN = "mycourses.csv"


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
        with _told(self):
            zips = _by_suffix(Path(archive_path), ".zip")
            if len(zips) != 1:
                raise KitError(
                    f"Expected in {archive_path} the one zip of 'Download all submissions', got "
                    f"{len(zips)}; leave the newest there."
                )
            course = Course(self.parent.coursedir.root)
            assignment = course.assignment(self.parent.coursedir.assignment_id)
            released = released_notebooks(course, assignment)
            participants = _worksheet(Path(archive_path), course)
            with open_download(zips[0]) as download:
                belongings, ignored = by_student(download, participants)
                others = enrol(course, participants.values())
                for student, own in belongings.items():
                    folder = Path(extracted_path) / student
                    ignored += _unpack(download, student, own, folder)
                    for sentence in [*own.told, *_rename_notebooks(folder, released)]:
                        self.log.debug("%s: %s", student, sentence)
            self.log.info("Unpacked the work of %s students", len(belongings))
            self._tell(ignored, others)

    def _tell(self, ignored: list[Ignored], others: list[str]):
        """Say what was left out; names and numbers only where somebody is looking for them."""
        for sentence in [*map(str, ignored), *others]:
            self.log.debug("%s", sentence)
        reasons = Counter(one.reason.partition(":")[0] for one in ignored)
        for reason, count in reasons.items():
            self.log.warning("%s left out (--debug tells which): %s", count, reason)
        if others:
            self.log.warning("%s known as somebody else (--debug tells who)", len(others))


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
        with _told(self):
            participants = _worksheet(self._folder("archive"), Course(self.parent.coursedir.root))
        if not participants:
            self.log.warning("No worksheet beside the zip: the times of submission are unknown")
        return participants


class MyCoursesExportPlugin(ExportPlugin):
    """Aalto's gradebook CSV: ``username@aalto.fi``, and one column for each assignment.

    A person who has another participant number in each assignment is one row, known by the e-mail
    address. A cell is blank where nothing was handed in or graded, and where answers wait to be
    graded by hand.
    """

    scale_to_100 = Bool(True, help="Scale the points of each assignment to 100.").tag(config=True)
    username_suffix = Unicode(
        "@aalto.fi", help="What makes an address of a username that holds no @."
    ).tag(config=True)
    provisional = Bool(
        False, help="Write the points so far where answers wait to be graded by hand."
    ).tag(config=True)
    absent_as_zero = Bool(False, help="Write 0 where nothing was handed in.").tag(config=True)

    def export(self, gradebook: Gradebook) -> None:
        """Write the CSV file, readable by its owner only."""
        with _told(self):
            assignments = self._assignments(gradebook)
            rows = self._rows(gradebook, assignments)
            path = Path(self.to or WRITTEN)
            _write(path, ["username", *assignments], rows)
            self.log.info("Wrote %s students to %s", len(rows), path)

    def _assignments(self, gradebook: Gradebook) -> list[str]:
        there = [assignment.name for assignment in gradebook.assignments]
        unknown = sorted(set(self.assignment) - set(there))
        if unknown:
            raise KitError(
                f"The gradebook knows no assignment {', '.join(unknown)}; it has "
                f"{', '.join(there) or 'none'}."
            )
        return [str(name) for name in self.assignment] or there

    def _rows(self, gradebook: Gradebook, assignments: list[str]) -> dict[str, dict[str, str]]:
        """Return the cells of each student by their address."""
        wanted = {str(student) for student in self.student}
        addresses = {
            student.id: self._address(student)
            for student in gradebook.students
            if not wanted or student.id in wanted
        }
        self._warn("left out: no e-mail address or username", [*addresses.values()].count(""))
        nothing = "0" if self.absent_as_zero else ""
        rows = {
            address: dict.fromkeys(assignments, nothing)
            for address in sorted(filter(None, addresses.values()))
        }
        blank = 0
        for name in assignments:
            taken = set()
            for submission in gradebook.assignment_submissions(name):
                address = addresses.get(submission.student_id)
                if not address:
                    continue
                if address in taken:
                    self.log.debug("Two ids in %s: %s", name, address)
                    raise KitError(
                        f"Two students of {name} have one e-mail address, so it is not plain whose "
                        "the points are; --debug tells which, mend it in the gradebook."
                    )
                taken.add(address)
                rows[address][name] = self._cell(submission)
                blank += not rows[address][name]
        self._warn("blank: not graded yet, or answers wait to be graded by hand", blank)
        return rows

    def _warn(self, what: str, count: int):
        if count:
            self.log.warning("%s %s", count, what)

    def _address(self, student: Student) -> str:
        """Return a student's address; a mere number, as MyCourses gives, is no username."""
        for name in (student.email, student.lms_user_id, student.id):
            name = "".join(filter(str.isprintable, name or "")).strip().lower()
            if name and not name.isdigit():
                return name if "@" in name else name + self.username_suffix
        return ""

    def _cell(self, submission: SubmittedAssignment) -> str:
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        graded = any(
            score is not None
            for grade in grades
            for score in (grade.auto_score, grade.manual_score)
        )
        most = submission.max_score
        if not graded or not most or (submission.needs_manual_grade and not self.provisional):
            return ""
        # MyCourses passes over what is above the maximum.
        score = min(max(submission.score - submission.late_submission_penalty, 0), most)
        return points(score / most * 100 if self.scale_to_100 else score)


@contextmanager
def _told(plugin: BasePlugin) -> Iterator[None]:
    """End nbgrader's command with one sentence where a user can mend the failure."""
    try:
        yield
    except KitError as problem:
        plugin.log.error("%s", problem)
        sys.exit(1)
    except OSError as problem:
        plugin.log.error("%s: %s", problem.filename, problem.strerror)
        sys.exit(1)


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
    return read_worksheet(sheets[0], course) if sheets else {}


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


def _write(path: Path, header: list[str], rows: dict[str, dict[str, str]]):
    """Write the CSV file whole or not at all, with no cell that is a formula."""
    scratch = path.with_name(f".{path.name}.new")
    try:
        scratch.unlink(missing_ok=True)
        with private_files(), scratch.open("x", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            for row in (header, *([address, *cells.values()] for address, cells in rows.items())):
                writer.writerow(FORMULA_START.sub(r"\1\2'", cell) for cell in row)
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)
