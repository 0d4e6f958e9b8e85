"""What of a class report can be shown to the class: nothing that tells of one person.

Only this goes into the anonymous page and its CSV files: counts of at least `FEWEST` students that
leave as many others, and means of four times as many in steps of `STEP` percent; no names, numbers,
links, moments, extremes, pairs or words of students.
"""

from dataclasses import dataclass

from coursekit.report.figures import Figures
from coursekit.report.questions import QuestionFigures
from coursekit.report.totals import Bin

STEP = 5
FEWEST = 3
"""The least students behind a figure; the rule that statistical offices use for tables."""


@dataclass(frozen=True)
class AnonymousQuestion:
    """Mean share of the points of a question, in percent, in steps of `STEP`."""

    notebook: str
    title: str
    max_score: float
    percent: int


@dataclass(frozen=True)
class AnonymousMistake:
    """A mistake by the catalogue's sentence, and how many made it."""

    sentence: str
    students: int


@dataclass(frozen=True)
class Anonymous:
    """The figures that can be shown to everybody.

    Attributes
    ----------
    course_id, assignment : str
    students : int
        How many are graded; 0 if they are so few that nothing is shown.
    max_score : int
    median, low, high : int or None
        Rounded; None where a quarter of the class is fewer than `FEWEST`.
    bins : list of Bin
        Merged until each is empty or holds enough; none where a quarter of the class is too few.
    provisional : bool
        Whether written answers are still to be graded for some.
    questions : list of AnonymousQuestion
    mistakes : list of AnonymousMistake
    rare : int
        How many more mistakes were made, each by too few, or by nearly all, to be shown.
    late : str
        How many handed in late, in words.
    """

    course_id: str
    assignment: str
    students: int
    max_score: int
    median: int | None
    low: int | None
    high: int | None
    bins: list[Bin]
    provisional: bool
    questions: list[AnonymousQuestion]
    mistakes: list[AnonymousMistake]
    rare: int
    late: str


def anonymous(figures: Figures) -> Anonymous:
    """Take from the figures what tells of nobody.

    Parameters
    ----------
    figures : Figures

    Returns
    -------
    Anonymous
    """
    totals = figures.totals
    enough = totals.students >= FEWEST
    quarters = totals.students >= 4 * FEWEST
    shown = [
        one for one in figures.mistakes if FEWEST <= len(one.students) <= totals.students - FEWEST
    ]
    return Anonymous(
        figures.read.course_id,
        figures.read.assignment,
        students=totals.students if enough else 0,
        max_score=round(totals.max_score),
        median=round(totals.median) if quarters else None,
        low=round(totals.low) if quarters else None,
        high=round(totals.high) if quarters else None,
        bins=merged(totals.bins) if quarters else [],
        provisional=totals.pending > 0,
        questions=[
            _question(one)
            for one in figures.questions
            if one.students >= 4 * FEWEST and one.difficulty is not None
        ],
        mistakes=[AnonymousMistake(one.sentence, len(one.students)) for one in shown],
        rare=len(figures.mistakes) - len(shown) if enough else 0,
        late=few(len(figures.late), totals.students),
    )


def _question(one: QuestionFigures) -> AnonymousQuestion:
    question = one.question
    return AnonymousQuestion(
        question.notebook,
        question.title,
        question.max_score,
        STEP * round(100 * one.difficulty / STEP),
    )


def few(number: int, of: int) -> str:
    """Write a number of students, unless so few did, or did not, that it could tell who."""
    if number < FEWEST:
        return f"fewer than {FEWEST}"
    return str(number) if number <= of - FEWEST else "nearly all"


def merged(bins: list[Bin]) -> list[Bin]:
    """Merge ranges with their neighbours until none holds one or two students.

    Parameters
    ----------
    bins : list of Bin
        With `FEWEST` students or more together.

    Returns
    -------
    list of Bin
    """
    found: list[Bin] = []
    for one in bins:
        if found and 0 < found[-1].students < FEWEST:
            last = found.pop()
            one = Bin(last.low, one.high, last.students + one.students)
        found.append(one)
    while len(found) > 1 and 0 < found[-1].students < FEWEST:
        last, before = found.pop(), found.pop()
        found.append(Bin(before.low, last.high, before.students + last.students))
    return found
