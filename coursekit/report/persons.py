"""Who needs a person, why, and where in the formgrader."""

from dataclasses import dataclass
from urllib.parse import quote

from coursekit.grading.student import StudentResult, points
from coursekit.report.reading import ClassRead

FORMGRADER = "http://localhost:8888"


@dataclass(frozen=True)
class Link:
    """Where to go, and what is there."""

    words: str
    url: str


@dataclass(frozen=True)
class Needy:
    """One student at whose work a person has to look.

    Attributes
    ----------
    student, name : str
    why : str
        A sentence or two.
    links : tuple of Link
        Into the formgrader.
    """

    student: str
    name: str
    why: str
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Persons:
    """Who needs a person, by what for.

    Attributes
    ----------
    unclear : list of Needy
        Those who have no points until somebody looks.
    odd : list of Needy
        Those whose points may be wrong: a notebook was stopped, changed or run without the sandbox.
    waiting : list of Needy
        Those whose written answers are to be graded.
    """

    unclear: list[Needy]
    odd: list[Needy]
    waiting: list[Needy]


def persons(read: ClassRead, base_url: str = FORMGRADER) -> Persons:
    """Find out who needs a person.

    Parameters
    ----------
    read : ClassRead
    base_url : str, optional
        Where Jupyter runs with nbgrader's formgrader.

    Returns
    -------
    Persons
    """
    formgrader = _Formgrader(read, base_url)
    unclear = [
        Needy(one.student, one.name, _reason(one), (formgrader.overview(),))
        for one in read.students
        if one.state not in ("graded", "absent")
    ]
    odd = []
    for one in read.graded:
        reasons, notebooks = _oddities(read, one)
        if reasons:
            links = formgrader.notebooks(one.student, notebooks) or (formgrader.overview(),)
            odd.append(Needy(one.student, one.name, " ".join(reasons), links))
    waiting = [
        Needy(
            one.student,
            one.name,
            f"{points(one.needs_manual)} points to give.",
            formgrader.notebooks(one.student, _pending(read, one)),
        )
        for one in read.graded
        if one.needs_manual
    ]
    return Persons(unclear, odd, waiting)


class _Formgrader:
    """Links into nbgrader's formgrader."""

    def __init__(self, read: ClassRead, base_url: str):
        self.read = read
        self.base = f"{base_url.rstrip('/')}/formgrader"

    def overview(self) -> Link:
        where = quote(self.read.assignment, safe="")
        return Link("all submissions", f"{self.base}/manage_submissions/{where}")

    def notebooks(self, student: str, names: list[str]) -> tuple[Link, ...]:
        graded = self.read.notebooks[student]
        return tuple(
            Link(name, f"{self.base}/submissions/{quote(graded[name].id, safe='')}/")
            for name in names
            if graded[name].there
        )


def _reason(one: StudentResult) -> str:
    return one.trouble or "Handed in, and not graded yet: run coursekit grade."


def _oddities(read: ClassRead, one: StudentResult) -> tuple[list[str], list[str]]:
    """Say what is odd about a student's points, and in which notebooks."""
    graded = read.notebooks[one.student]
    stopped = {name: notebook.stopped for name, notebook in graded.items() if notebook.stopped}
    reasons = [f"{name}.ipynb was not run to its end. {why}" for name, why in stopped.items()]
    if one.changed:
        reasons.append("Other work was collected after the grading: run coursekit grade.")
    if one.unsafe:
        reasons.append("Was run without the sandbox: coursekit grade --regrade.")
    return reasons, list(stopped)


def _pending(read: ClassRead, one: StudentResult) -> list[str]:
    graded = read.notebooks[one.student]
    return [
        name
        for name in read.releases
        if name in graded and any(points.pending for points in graded[name].points.values())
    ]
