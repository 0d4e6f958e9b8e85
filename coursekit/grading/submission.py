"""The way of one student's notebooks through the grading, but for their run."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from nbformat import NotebookNode
from nbgrader.utils import rmtree
from sqlalchemy.exc import DatabaseError

from coursekit.conversion import convert
from coursekit.course import Course
from coursekit.errors import KitError
from coursekit.grading import finding, outcome
from coursekit.grading.absent import give_nothing, record_without_notebooks
from coursekit.grading.gradebook import OpenGradebook
from coursekit.grading.halves import FirstHalf, Posed, SecondHalf
from coursekit.grading.handed_in import trouble
from coursekit.grading.outcome import Outcome
from coursekit.grading.todo import left_to_grade, note_left


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

    def is_done(self, student: str) -> bool:
        """Tell by the files alone whether nothing of a student is to be graded."""
        if self.regrade or trouble(self.course, self.assignment, student):
            return False
        left = left_to_grade(self.course, self.assignment, student)
        return left is not None and left.isdisjoint(self.notebooks)


@dataclass
class Submission:
    """A student whose notebooks are being graded.

    Attributes
    ----------
    round : Round
    student : str
    posed : list of Posed
        The notebooks that are to run.
    missing : list of str
        Notebooks that were not handed in.
    left : set of str
        Notebooks that stay to be graded after this run.
    ran : dict
        Text of each `Posed` notebook after its run.
    problem : str
        Why the student cannot be graded.
    """

    round: Round
    student: str
    posed: list[Posed]
    missing: list[str]
    left: set[str]
    ran: dict[Posed, str] = field(default_factory=dict)
    problem: str = ""

    @property
    def folder(self):
        """The student's graded folder, where the students' code finds its files."""
        return self.round.course.autograded / self.student / self.round.assignment

    def fail(self, problem: str):
        """Note why the student cannot be graded; the first reason counts."""
        self.problem = self.problem or problem

    def end(self) -> Outcome:
        """Judge and save what the notebooks answered."""
        course, assignment = self.round.course, self.round.assignment
        if not self.problem:
            try:
                with self.round.gradebook.at_once() as gradebook:
                    options = {"ran": self.ran, "gradebook": gradebook}
                    convert(SecondHalf, course, assignment, self.student, **options)
                    give_nothing(gradebook, assignment, self.student, self.missing)
            except (KitError, DatabaseError) as problem:
                self.fail(_sentence(problem))
        if self.problem:
            _forget_graded(self.folder, {posed.name for posed in self.posed})
            return Outcome(self.student, outcome.FAILED, self.problem)
        told = [sentence for posed in self.posed for sentence in posed.mended]
        if self.missing:
            names = ", ".join(f"{notebook}.ipynb" for notebook in self.missing)
            told.append(f"Not handed in, 0 points: {names}.")
        note_left(self.folder, self.left)  # last: from here on the student counts as graded
        return Outcome(self.student, outcome.GRADED, " ".join(told), len(self.ran))


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
    unusable = trouble(course, assignment, student)
    if unusable:
        _forget_graded(folder, round_.released)
        return Outcome(student, outcome.NEEDS_PERSON, unusable)
    search = finding.find_notebooks(work, round_.released)
    unclear = [
        sentence
        for found in search.values()
        if found.status == finding.NEEDS_PERSON
        for sentence in found.sentences
    ]
    if unclear:
        _forget_graded(folder, search)
        return Outcome(student, outcome.NEEDS_PERSON, " ".join(dict.fromkeys(unclear)))
    there = {name: found for name, found in search.items() if found.status == finding.FOUND}
    missing = [name for name in search if name not in there]
    if not there:
        with round_.gradebook.at_once() as gradebook:
            record_without_notebooks(course, gradebook, assignment, student)
        return Outcome(student, outcome.MISSING, "No notebook was handed in: 0 points.")
    run, left = _chosen(round_, student, there)
    _forget_graded(folder, [*run, *missing])
    note_left(folder, left | run.keys())
    try:
        with round_.gradebook.at_once() as gradebook:
            options = {"found": run, "gradebook": gradebook}
            half = convert(FirstHalf, course, assignment, student, **options)
    except (KitError, DatabaseError) as problem:
        _forget_graded(folder, run)
        return Outcome(student, outcome.FAILED, _sentence(problem))
    return Submission(round_, student, half.posed, missing, left)


def _sentence(problem):
    return f"The gradebook: {problem.orig}" if isinstance(problem, DatabaseError) else str(problem)


def _chosen(round_, student, there):
    """Choose what is run now of the notebooks that are there, and what stays to be graded."""
    left = left_to_grade(round_.course, round_.assignment, student)
    before = set(there) if left is None else left & there.keys()
    run = {
        name: found
        for name, found in there.items()
        if name in round_.notebooks and (round_.regrade or name in before)
    }
    return run, before - run.keys()


def _forget_graded(folder, names):
    """Remove graded notebooks; with the last of them goes all that was beside them."""
    for name in names:
        (folder / f"{name}.ipynb").unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.glob("*.ipynb")):
        rmtree(str(folder))
