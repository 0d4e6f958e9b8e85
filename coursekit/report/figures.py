"""All figures of a class report, worked out once."""

from dataclasses import dataclass

from coursekit.course import Course
from coursekit.grading.student import StudentResult
from coursekit.report.mistakes import (
    MistakeFigures,
    Unexplained,
    mistake_figures,
    unexplained,
)
from coursekit.report.persons import FORMGRADER, Persons, persons
from coursekit.report.questions import QuestionFigures, question_figures
from coursekit.report.reading import ClassRead
from coursekit.report.similar import (
    THRESHOLD,
    Crowd,
    Pair,
    crowds,
    similar_pairs,
    submission_groups,
)
from coursekit.report.times import RunTimes, handing_in, run_times
from coursekit.report.totals import Totals, totals


@dataclass(frozen=True)
class Figures:
    """What a class report shows.

    Attributes
    ----------
    read : ClassRead
    totals : Totals
    questions : list of QuestionFigures
    mistakes : list of MistakeFigures
    unexplained : list of Unexplained
    run_times : list of RunTimes
    handing_in : dict of str to int
    persons : Persons
    pairs : list of Pair
    crowds : list of Crowd
    groups : list of list of str
        Students who handed in together.
    """

    read: ClassRead
    totals: Totals
    questions: list[QuestionFigures]
    mistakes: list[MistakeFigures]
    unexplained: list[Unexplained]
    run_times: list[RunTimes]
    handing_in: dict[str, int]
    persons: Persons
    pairs: list[Pair]
    crowds: list[Crowd]
    groups: list[list[str]]

    @property
    def absent(self) -> list[StudentResult]:
        """Those who handed in nothing."""
        return [student for student in self.read.students if student.state == "absent"]

    @property
    def late(self) -> list[StudentResult]:
        """Those who handed in late, the latest first."""
        late = [student for student in self.read.graded if student.late_seconds > 0]
        return sorted(late, key=lambda student: -student.late_seconds)

    @property
    def hardest(self) -> list[QuestionFigures]:
        """The questions from the hardest on, those alone that have points already."""
        known = [one for one in self.questions if one.difficulty is not None]
        return sorted(known, key=lambda one: one.difficulty)


def figures(
    course: Course,
    read: ClassRead,
    base_url: str = FORMGRADER,
    threshold: float = THRESHOLD,
    compare: bool = True,
) -> Figures:
    """Work out the figures of a class.

    Parameters
    ----------
    course : Course
    read : ClassRead
    base_url : str, optional
        Where Jupyter runs with nbgrader's formgrader.
    threshold : float, optional
        From which share on two submissions are a pair to look at.
    compare : bool, optional
        Whether submissions are compared with each other at all.

    Returns
    -------
    Figures
    """
    groups = submission_groups(course, read) if compare else []
    return Figures(
        read,
        totals(read),
        question_figures(read),
        mistake_figures(read),
        unexplained(read),
        run_times(read),
        handing_in(read),
        persons(read, base_url),
        similar_pairs(course, read, groups, threshold) if compare else [],
        crowds(course, read, groups) if compare else [],
        groups,
    )
