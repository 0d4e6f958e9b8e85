"""What one student got, and why."""

from dataclasses import dataclass

SHOWN = 3
"""How many reasons a student's row tells before it only counts."""


@dataclass(frozen=True)
class LostPoints:
    """A test cell that did not earn all of its points.

    Attributes
    ----------
    cell : str
        nbgrader's grade id.
    score, max_score : float
    reason : str
        One sentence, or empty if the cell holds no word about it.
    """

    cell: str
    score: float
    max_score: float
    reason: str


@dataclass(frozen=True)
class NotebookResult:
    """Points of one notebook.

    Attributes
    ----------
    name : str
    score, max_score : float
    missing : bool
        Whether the student did not hand it in.
    """

    name: str
    score: float
    max_score: float
    missing: bool


@dataclass(frozen=True)
class StudentResult:
    """Points of one student.

    Attributes
    ----------
    student, name : str
    state : str
        ``graded``, ``not graded`` (handed in, but the grading failed or did not run), ``needs a
        person`` (it is not plain what was handed in), or ``absent`` (nothing handed in).
    notebooks : tuple of NotebookResult
        Empty unless the state is ``graded``.
    penalty : float
        Points taken off for being late.
    needs_manual : float
        Points, of `max_score`, that a person has still to give.
    late_seconds : float
    lost : tuple of LostPoints
    unanswered : float
        Points of written answers that were left blank.
    changed : bool
        Whether other work was collected after the grading.
    unsafe : bool
        Whether a notebook was run without the sandbox.
    mended : bool
        Whether something was mended before the grading.
    trouble : str
        Why a person is needed.
    """

    student: str
    name: str
    state: str
    notebooks: tuple[NotebookResult, ...] = ()
    penalty: float = 0.0
    needs_manual: float = 0.0
    late_seconds: float = 0.0
    lost: tuple[LostPoints, ...] = ()
    unanswered: float = 0.0
    changed: bool = False
    unsafe: bool = False
    mended: bool = False
    trouble: str = ""

    @property
    def score(self) -> float:
        """Points of all notebooks, less the penalty."""
        return max(0.0, sum(notebook.score for notebook in self.notebooks) - self.penalty)

    @property
    def max_score(self) -> float:
        """Points to be had in all notebooks."""
        return sum(notebook.max_score for notebook in self.notebooks)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the notebooks that were not handed in."""
        return tuple(notebook.name for notebook in self.notebooks if notebook.missing)


def points(value: float) -> str:
    """Write points with at most two decimals."""
    return f"{round(value, 2):g}"


def why(result: StudentResult) -> list[str]:
    """Say what cost a student points, the reasons that cost most first.

    Parameters
    ----------
    result : StudentResult

    Returns
    -------
    list of str
        One line a reason, with the cells that lost points for it.
    """
    if result.state != "graded":
        return [f"{result.state}: {result.trouble}" if result.trouble else result.state]
    lines = ["changed since it was graded: run coursekit grade"] if result.changed else []
    if result.unsafe:
        lines.append("was run without the sandbox: coursekit grade --regrade")
    if result.mended:
        lines.append("mended before it was graded: see the feedback")
    if result.late_seconds:
        lines.append(f"{result.late_seconds / 3600:.1f} h late")
    not_there = [f"{notebook}.ipynb was not handed in" for notebook in result.missing]
    groups: dict[str, list] = {}
    for lost in result.lost:
        if lost.reason not in not_there:
            groups.setdefault(lost.reason, []).append(lost)
    by_cost = sorted(groups.items(), key=lambda group: -sum(map(_cost, group[1])))
    reasons = not_there + [
        f"{_cells(cells)} -{points(sum(map(_cost, cells)))}: {reason}" for reason, cells in by_cost
    ]
    if len(reasons) > SHOWN:
        reasons[SHOWN:] = [f"and {len(reasons) - SHOWN} more"]
    if result.unanswered:
        reasons.append(f"written answers left blank -{points(result.unanswered)}")
    return lines + reasons


def _cost(lost):
    return lost.max_score - lost.score


def _cells(cells):
    names = [lost.cell for lost in cells]
    return ", ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} more"
