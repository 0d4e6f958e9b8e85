"""How long the notebooks ran, and when they were handed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from coursekit.report.reading import ClassRead

BEFORE_DEADLINE = (
    ("more than a week before", timedelta(days=7)),
    ("3 to 7 days before", timedelta(days=3)),
    ("1 to 3 days before", timedelta(days=1)),
    ("6 to 24 hours before", timedelta(hours=6)),
    ("1 to 6 hours before", timedelta(hours=1)),
    ("in the last hour", timedelta(0)),
    ("up to a day late", timedelta(days=-1)),
)
LATER = "more than a day late"
MOST = 0.9


@dataclass(frozen=True)
class RunTimes:
    """How long the cells of a notebook ran, over the class.

    Attributes
    ----------
    notebook : str
    seconds : dict of str to float
        By student, the slowest first.
    stopped : dict of str to str
        By student, why the notebook was not run to its end.
    """

    notebook: str
    seconds: dict[str, float]
    stopped: dict[str, str]

    @property
    def median(self) -> float | None:
        """Seconds that half of the class stayed below."""
        return median(self.seconds.values()) if self.seconds else None

    @property
    def most(self) -> float | None:
        """Seconds that nine of ten stayed below."""
        return _rank(sorted(self.seconds.values()), MOST)

    @property
    def longest(self) -> float | None:
        """Seconds of the slowest."""
        return max(self.seconds.values(), default=None)


def run_times(read: ClassRead) -> list[RunTimes]:
    """Collect how long each notebook ran.

    Parameters
    ----------
    read : ClassRead

    Returns
    -------
    list of RunTimes
        One a notebook.
    """
    return [_of_notebook(read, name) for name in read.releases]


def _of_notebook(read: ClassRead, name: str) -> RunTimes:
    graded = {
        student: notebooks[name]
        for student, notebooks in read.notebooks.items()
        if name in notebooks
    }
    seconds = {key: one.seconds for key, one in graded.items() if one.seconds is not None}
    return RunTimes(
        name,
        dict(sorted(seconds.items(), key=lambda item: -item[1])),
        {key: one.stopped for key, one in graded.items() if one.stopped},
    )


def _rank(ordered: Sequence[float], share: float) -> float | None:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else None


def handing_in(read: ClassRead) -> dict[str, int]:
    """Count when the graded students handed in, from long before the deadline to long after.

    Parameters
    ----------
    read : ClassRead

    Returns
    -------
    dict of str to int
        In the order of time; empty if the assignment has no deadline or no time is known.
    """
    if read.due is None or not read.handed_in:
        return {}
    counts = dict.fromkeys([words for words, _ in BEFORE_DEADLINE] + [LATER], 0)
    for moment in read.handed_in.values():
        counts[_when(read.due - moment)] += 1
    return counts


def _when(left: timedelta) -> str:
    return next((words for words, least in BEFORE_DEADLINE if left >= least), LATER)
