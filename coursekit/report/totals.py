"""How the points are spread over the class."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from coursekit.report.reading import ClassRead

BINS = 10


@dataclass(frozen=True)
class Bin:
    """How many are in a range; the upper end belongs to it in the last one only."""

    low: float
    high: float
    students: int


@dataclass(frozen=True)
class Totals:
    """The spread of the totals.

    Attributes
    ----------
    students : int
    max_score : float
        Points to be had.
    median, low, high : float or None
        The median and the quartiles; None if nobody is graded.
    bins : list of Bin
        Empty if nobody is graded.
    pending : int
        How many students have points to come.
    by_tests : float
        Points to be had in the questions that tests grade, not a person.
    """

    students: int
    max_score: float
    median: float | None
    low: float | None
    high: float | None
    bins: list[Bin]
    pending: int
    by_tests: float


def totals(read: ClassRead) -> Totals:
    """Work out how the points are spread.

    Parameters
    ----------
    read : ClassRead

    Returns
    -------
    Totals
    """
    graded = read.graded
    scores = [student.score if math.isfinite(student.score) else 0.0 for student in graded]
    max_score = max((student.max_score for student in graded), default=0.0)
    low, high = _quartiles(scores)
    return Totals(
        students=len(scores),
        max_score=max_score,
        median=median(scores) if scores else None,
        low=low,
        high=high,
        bins=_bins(scores, max_score) if scores else [],
        pending=sum(student.needs_manual > 0 for student in graded),
        by_tests=sum(one.max_score for one in read.questions if not one.by_hand),
    )


def _quartiles(scores: Sequence[float]) -> tuple[float | None, float | None]:
    if len(scores) < 2:
        return (scores[0], scores[0]) if scores else (None, None)
    low, _, high = quantiles(scores, method="inclusive")
    return low, high


def _bins(scores: Sequence[float], max_score: float) -> list[Bin]:
    """Count in ten equal ranges; what is above the maximum (extra credit) is in the last."""
    width = max_score / BINS or 1.0
    counts = [0] * BINS
    for score in scores:
        counts[max(0, min(int(score / width), BINS - 1))] += 1
    return [Bin(width * i, width * (i + 1), count) for i, count in enumerate(counts)]
