"""How hard each question was, and how well it tells strong from weak."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import correlation, fmean

from coursekit.report.reading import ClassRead, Question

FEWEST_TO_CORRELATE = 5
EXACT = 9  # decimals; sums of points are no more exact
HARD = 0.5
EASY = 0.95
WEAK = 0.2


@dataclass(frozen=True)
class QuestionFigures:
    """What the class made of a question.

    Attributes
    ----------
    question : Question
    students : int
        How many have points for it.
    pending : int
        How many wait for a person.
    mean : float or None
        Mean points; None until half of the class has points.
    full, nothing : int
        How many have all points, or none.
    discrimination : float or None
        Corrected item-total correlation; None where it is not defined.
    """

    question: Question
    students: int
    pending: int
    mean: float | None
    full: int
    nothing: int
    discrimination: float | None

    @property
    def difficulty(self) -> float | None:
        """Mean share of the points, in [0, 1]: the lower, the harder."""
        return None if self.mean is None else self.mean / self.question.max_score

    @property
    def remark(self) -> str:
        """What a teacher should notice, in a few words."""
        if self.difficulty is None:
            return ""
        found = []
        if self.difficulty < HARD:
            found.append("hard")
        if self.discrimination is not None and self.discrimination < 0:
            found.append("the stronger do worse here: look at the question")
        elif self.discrimination is not None and self.discrimination < WEAK:
            found.append("hardly tells strong from weak")
        if self.difficulty > EASY:
            found.append("nearly everybody has it")
        return "; ".join(found)


def question_figures(read: ClassRead) -> list[QuestionFigures]:
    """Work out the figures of every question that is worth something.

    Difficulty is the mean share of the points. Discrimination is the corrected item-total
    correlation, Pearson's r between the points of the question and those of all *other* questions
    that are graded for everybody. It is not defined where fewer than five students have points, or
    where all have the same, in the question or in the others.

    Parameters
    ----------
    read : ClassRead

    Returns
    -------
    list of QuestionFigures
    """
    questions = [question for question in read.questions if question.max_score > 0]
    rows = {question: _row(read, question) for question in questions}
    complete = [row for row in rows.values() if None not in row]
    totals = [sum(column) for column in zip(*complete, strict=True)]
    return [_figures(question, row, totals, row in complete) for question, row in rows.items()]


def _row(read: ClassRead, question: Question) -> list[float | None]:
    """List the points of all graded students; None for each that a person has still to give."""
    found = []
    for student in read.graded:
        notebook = read.notebooks[student.student].get(question.notebook)
        points = notebook.points.get(question.cell) if notebook else None
        found.append(None if points is None or points.pending else points.score)
    return found


def _figures(
    question: Question, row: list[float | None], totals: list[float], in_total: bool
) -> QuestionFigures:
    given = [score for score in row if score is not None]
    pairs = [
        (score, round(total - score if in_total else total, EXACT))
        for score, total in zip(row, totals or [0.0] * len(row), strict=True)
        if score is not None
    ]
    return QuestionFigures(
        question,
        students=len(given),
        pending=len(row) - len(given),
        mean=fmean(given) if given and 2 * len(given) >= len(row) else None,
        full=sum(score >= question.max_score for score in given),
        nothing=sum(score <= 0 for score in given),
        discrimination=_correlation(pairs),
    )


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    if len(pairs) < FEWEST_TO_CORRELATE:
        return None
    scores, rests = zip(*pairs, strict=True)
    if len(set(scores)) == 1 or len(set(rests)) == 1:  # not left to rounding
        return None
    return correlation(scores, rests)
