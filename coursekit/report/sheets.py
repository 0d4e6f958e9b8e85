"""The CSV file behind each figure."""

from collections.abc import Iterable
from dataclasses import dataclass

from coursekit.grading.student import points
from coursekit.report.anonymous import Anonymous
from coursekit.report.figures import Figures
from coursekit.report.totals import Bin
from coursekit.writing import table


@dataclass(frozen=True)
class Sheet:
    """The rows behind one figure.

    Attributes
    ----------
    name : str
        Of the file, without ``.csv``.
    header : tuple of str
    rows : list of tuple
        Text, numbers, or None where there is nothing to tell.
    """

    name: str
    header: tuple[str, ...]
    rows: list[tuple]

    @property
    def data(self) -> bytes:
        """The CSV, in which no text can be a formula."""
        return table([self.header, *([_rounded(value) for value in row] for row in self.rows)])


def _rounded(value):
    return round(value, 4) if isinstance(value, float) else value


def sheets(figures: Figures) -> list[Sheet]:
    """Make the sheets of the full report.

    Parameters
    ----------
    figures : Figures

    Returns
    -------
    list of Sheet
    """
    names = {one.student: one.name for one in figures.read.students}
    needy = figures.persons
    return [
        _totals(figures.totals.bins),
        Sheet(
            "questions",
            ("notebook", "question", "title", "points", "by_hand", "students", "pending", "mean")
            + ("difficulty", "discrimination", "full_points", "no_points", "remark"),
            [
                (one.question.notebook, one.question.cell, one.question.title)
                + (one.question.max_score, "yes" if one.question.by_hand else "no")
                + (one.students, one.pending, one.mean, one.difficulty, one.discrimination)
                + (one.full, one.nothing, one.remark)
                for one in figures.questions
            ],
        ),
        Sheet(
            "mistakes",
            ("mistake", "sentence", "questions", "students", "of", "points_lost", "who"),
            [
                (one.name, one.sentence, " ".join(one.cells), len(one.students), one.of)
                + (one.points, " ".join(one.students))
                for one in figures.mistakes
            ],
        ),
        Sheet(
            "unexplained",
            ("notebook", "question", "what", "students", "who"),
            [
                (one.question.notebook, one.question.cell, one.kind, len(one.students))
                + (" ".join(one.students),)
                for one in figures.unexplained
            ],
        ),
        Sheet(
            "needs-a-person",
            ("what", "student", "name", "why", "links"),
            [
                (what, one.student, one.name, one.why, " ".join(link.url for link in one.links))
                for what, group in (
                    ("cannot be graded", needy.unclear),
                    ("look at the points", needy.odd),
                    ("written answers", needy.waiting),
                )
                for one in group
            ],
        ),
        Sheet(
            "similar",
            ("notebook", "student", "name", "other", "other_name", "share", "fingerprints")
            + ("answers", "letter_for_letter"),
            [
                (one.notebook, one.left, names[one.left], one.right, names[one.right], one.share)
                + (one.shared, " ".join(answer.cell for answer in one.answers))
                + (" ".join(answer.cell for answer in one.answers if answer.letter_for_letter),)
                for one in figures.pairs
            ],
        ),
        Sheet(
            "same-answers",
            ("notebook", "question", "students", "who"),
            [
                (one.notebook, one.cell, len(one.students), " ".join(one.students))
                for one in figures.crowds
            ],
        ),
        Sheet("handing-in", ("when", "students"), list(figures.handing_in.items())),
        Sheet(
            "late",
            ("student", "name", "hours_late", "points_off"),
            [
                (one.student, one.name, one.late_seconds / 3600, points(one.penalty))
                for one in figures.late
            ],
        ),
        Sheet(
            "run-times",
            ("notebook", "student", "seconds", "stopped"),
            [
                (one.notebook, student, one.seconds.get(student), one.stopped.get(student, ""))
                for one in figures.run_times
                for student in {**one.seconds, **one.stopped}
            ],
        ),
    ]


def anonymous_sheets(shown: Anonymous) -> list[Sheet]:
    """Make the sheets of the anonymous report.

    Parameters
    ----------
    shown : Anonymous

    Returns
    -------
    list of Sheet
    """
    return [
        _totals(shown.bins),
        Sheet(
            "questions",
            ("notebook", "title", "points", "percent"),
            [(one.notebook, one.title, one.max_score, one.percent) for one in shown.questions],
        ),
        Sheet(
            "mistakes",
            ("sentence", "students", "of"),
            [(one.sentence, one.students, shown.students) for one in shown.mistakes],
        ),
    ]


def _totals(bins: Iterable[Bin]) -> Sheet:
    rows = [(one.low, one.high, one.students) for one in bins]
    return Sheet("totals", ("from", "to", "students"), rows)
