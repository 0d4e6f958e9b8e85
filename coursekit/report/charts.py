"""Where the bars of a chart stand; the templates draw them."""

from collections.abc import Sequence
from dataclasses import dataclass

from coursekit.grading.student import points
from coursekit.report.totals import Bin

WIDTH, HEIGHT = 640, 280
LEFT, TOP, BOTTOM = 12, 44, 44
GAP = 3


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram, in the units of the drawing."""

    x: float
    y: float
    width: float
    height: float
    students: int
    words: str


@dataclass(frozen=True)
class Tick:
    """A label below the bars."""

    x: float
    words: str


@dataclass(frozen=True)
class Histogram:
    """A histogram of points.

    Attributes
    ----------
    bars : list of Bar
    ticks : list of Tick
    limit : float or None
        Where a line tells how far the points of the tests reach; None without one.
    width, height, floor : int
        Of the drawing, and where the bars stand.
    """

    bars: list[Bar]
    ticks: list[Tick]
    limit: float | None
    width: int = WIDTH
    height: int = HEIGHT
    floor: int = HEIGHT - BOTTOM


def histogram(bins: Sequence[Bin], by_tests: float | None = None) -> Histogram | None:
    """Place the bars of a histogram; a range's width is that of its bar.

    Parameters
    ----------
    bins : sequence of Bin
    by_tests : float, optional
        How far the points of the tests reach; a line tells it, if that is less than the end.

    Returns
    -------
    Histogram or None
        None if there is nothing to draw.
    """
    if not bins:
        return None
    start, end = bins[0].low, bins[-1].high
    scale = (WIDTH - 2 * LEFT) / (end - start)
    room = HEIGHT - TOP - BOTTOM
    # The area of a bar tells of students where ranges are not equally wide.
    narrowest = min(one.high - one.low for one in bins)
    densities = [one.students * narrowest / (one.high - one.low) for one in bins]
    tallest = max(densities) or 1
    bars = []
    for one, density in zip(bins, densities, strict=True):
        height = room * density / tallest
        bars.append(
            Bar(
                x=round(LEFT + (one.low - start) * scale + GAP / 2, 1),
                y=round(HEIGHT - BOTTOM - height, 1),
                width=round((one.high - one.low) * scale - GAP, 1),
                height=round(height, 1),
                students=one.students,
                words=range_words(one),
            )
        )
    edges = [one.low for one in bins] + [end]
    ticks = [Tick(round(LEFT + (edge - start) * scale, 1), points(edge)) for edge in edges]
    limit = None
    if by_tests is not None and start < by_tests < end:
        limit = round(LEFT + (by_tests - start) * scale, 1)
    return Histogram(bars, ticks, limit)


def range_words(one: Bin) -> str:
    """Write a range of points."""
    return f"{points(one.low)} to {points(one.high)}"
