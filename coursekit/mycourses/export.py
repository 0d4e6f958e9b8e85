"""Plugin by which ``nbgrader export`` writes Aalto's gradebook CSV."""

from pathlib import Path

from nbgrader.api import Gradebook, Student, SubmittedAssignment
from nbgrader.plugins import ExportPlugin
from traitlets import Bool, Unicode

from coursekit.course import private_files
from coursekit.errors import KitError
from coursekit.grading.student import points
from coursekit.mycourses.telling import one_sentence
from coursekit.writing import replace_whole, table

WRITTEN = "mycourses.csv"


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
        with one_sentence(self):
            assignments = self._assignments(gradebook)
            rows = self._rows(gradebook, assignments)
            path = Path(self.to or WRITTEN)
            lines = [[address, *cells.values()] for address, cells in rows.items()]
            with private_files():
                replace_whole(path, table([["username", *assignments], *lines]))
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
        """Return a student's address; neither an ID number nor MyCourses' number is a username."""
        for name in (student.email, student.id):
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
