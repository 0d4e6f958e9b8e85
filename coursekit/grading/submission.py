"""The way of one student's notebooks through the grading, but for their run."""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from nbformat import NotebookNode
from nbgrader.api import MissingEntry
from nbgrader.utils import rmtree

from coursekit.conversion import convert
from coursekit.course import Course
from coursekit.grading import finding, outcome
from coursekit.grading.absent import give_nothing, record_without_notebooks
from coursekit.grading.gradebook import OpenGradebook
from coursekit.grading.halves import FirstHalf, Posed, SecondHalf
from coursekit.grading.handed_in import unusable
from coursekit.grading.outcome import Outcome
from coursekit.grading.todo import (
    fingerprint,
    forget_graded,
    forget_student,
    left_to_grade,
    note_left,
)
from coursekit.grading.together import Preprocessors
from coursekit.grading.trouble import told


@dataclass(frozen=True)
class Round:
    """What is graded, and how much of it.

    Attributes
    ----------
    course : Course
    assignment : str
    gradebook : OpenGradebook
    released : mapping of str to nbformat.NotebookNode
        All its notebooks, as the students got them.
    notebooks : collection of str
        Names of those that are to be graded.
    regrade : bool
        Grade again what has not changed since it was graded.
    """

    course: Course
    assignment: str
    gradebook: OpenGradebook
    released: Mapping[str, NotebookNode]
    notebooks: Collection[str]
    regrade: bool = False

    @cached_property
    def preprocessors(self) -> Preprocessors:
        """What the notebooks go through, beside their run."""
        return Preprocessors(self.gradebook)

    def is_done(self, student: str) -> bool:
        """Tell by the files alone whether nothing of a student is to be graded."""
        if self.regrade or unusable(self.course, self.assignment, student):
            return False
        try:
            left = left_to_grade(self.course, self.assignment, student)
        except OSError:  # whoever grades the student is told what is in the way
            return False
        return left is not None and left.isdisjoint(self.notebooks)


@dataclass
class Submission:
    """A student whose notebooks are being graded.

    Attributes
    ----------
    round : Round
    student : str
    handed_in : str
        The work's `fingerprint`.
    posed : list of Posed
        The notebooks that are to run.
    missing : list of str
        Notebooks, of those that are to be graded, that were not handed in.
    left : set of str
        Notebooks that stay to be graded after this run.
    ran : dict
        Text of each `Posed` notebook after its run.
    problem : BaseException or None
        Why the student cannot be graded.
    """

    round: Round
    student: str
    handed_in: str
    posed: list[Posed]
    missing: list[str]
    left: set[str]
    ran: dict[Posed, str] = field(default_factory=dict)
    problem: BaseException | None = None

    @property
    def folder(self):
        """The student's graded folder, where the students' code finds its files."""
        return self.round.course.autograded / self.student / self.round.assignment

    def fail(self, problem: BaseException):
        """Note why the student cannot be graded; the first reason counts."""
        self.problem = self.problem or problem

    def end(self) -> Outcome:
        """Judge and save what the notebooks answered."""
        course, assignment = self.round.course, self.round.assignment
        names = [posed.name for posed in self.posed]
        if self.problem is None:
            try:
                with self.round.gradebook.at_once() as gradebook:
                    if self.ran:
                        options = {"ran": self.ran, "preprocessors": self.round.preprocessors}
                        half = convert(SecondHalf, course, assignment, self.student, **options)
                    gone = give_nothing(gradebook, assignment, self.student, self.missing)
                if self.ran:
                    half.run_post_convert_hook()
            except Exception as problem:
                self.fail(problem)
        if self.problem is not None:
            forget_student(self.folder, names)
            return Outcome(self.student, outcome.FAILED, told(self.problem), cause=self.problem)
        note_left(self.folder, self.handed_in, self.left)  # last: now the student counts as graded
        words = [sentence for posed in self.posed for sentence in posed.mended]
        if self.missing:
            words.append(f"Not handed in, 0 points: {_files(self.missing)}. {gone}".rstrip())
        if self.left:
            words.append(f"Still to grade: {_files(self.left)}.")
        return Outcome(self.student, outcome.GRADED, " ".join(words), len(self.ran))


def _files(names):
    return ", ".join(f"{name}.ipynb" for name in sorted(names))


def begin(round_: Round, student: str) -> Submission | Outcome:
    """Find, mend and pose what of a student's notebooks is to be graded.

    Parameters
    ----------
    round_ : Round
    student : str

    Returns
    -------
    Submission or Outcome
        The outcome, if there is nothing to run.
    """
    course, assignment = round_.course, round_.assignment
    work = course.submitted / student / assignment
    folder = course.autograded / student / assignment
    if not work.is_dir():
        return Outcome(student, outcome.MISSING, f"Nothing of {assignment} was handed in.")
    handed_in = fingerprint(work)  # before anything is read: what comes later is graded later
    unclear = unusable(course, assignment, student)
    if not unclear:
        before = left_to_grade(course, assignment, student)
        if before is None:
            _ask_again(round_, student)
        search = finding.find_notebooks(work, round_.released)
        unclear = finding.unclear(search)
    if unclear:
        if folder.is_dir():
            note_left(folder, handed_in, round_.released)
            forget_student(folder, round_.released)
        _forget_feedback(round_, student)
        return Outcome(student, outcome.NEEDS_PERSON, unclear)
    there = {name: found for name, found in search.items() if found.status == finding.FOUND}
    if not there:
        with round_.gradebook.at_once() as gradebook:
            gone = record_without_notebooks(course, gradebook, assignment, student)
        if folder.is_dir():
            note_left(folder, handed_in, round_.released)
            forget_student(folder, round_.released)
        _forget_feedback(round_, student)
        words = f"No notebook was handed in: 0 points. {gone}".rstrip()
        return Outcome(student, outcome.MISSING, words)
    before = set(search) if before is None else before
    now = [
        name for name in search if name in round_.notebooks and (round_.regrade or name in before)
    ]
    run = {name: there[name] for name in now if name in there}
    note_left(folder, handed_in, before | set(now))
    forget_graded(folder, now)
    _forget_feedback(round_, student)
    with round_.gradebook.at_once():
        options = {"found": run, "preprocessors": round_.preprocessors}
        half = convert(FirstHalf, course, assignment, student, **options)
    missing = [name for name in now if name not in there]
    return Submission(round_, student, handed_in, half.posed, missing, before - set(now))


def _ask_again(round_, student):
    """Have a person look again at what was graded by hand: it may be other work now."""
    with round_.gradebook.at_once() as gradebook, suppress(MissingEntry):
        for notebook in gradebook.find_submission(round_.assignment, student).notebooks:
            for grade in notebook.grades:
                grade.needs_manual_grade |= grade.manual_score is not None


def _forget_feedback(round_, student):
    """Remove pages of points that do not count any more."""
    pages = round_.course.feedback / student / round_.assignment
    if pages.is_dir():
        rmtree(str(pages))
