"""Grade what the students handed in."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from traitlets import TraitError

from coursekit.course import CONFIG_FILE, Course
from coursekit.errors import CourseError, KitError
from coursekit.grading.cluster import Cluster
from coursekit.grading.execute import BoundedExecute
from coursekit.grading.gradebook import OpenGradebook
from coursekit.grading.handed_in import handed_in_at
from coursekit.grading.outcome import KEPT, Outcome
from coursekit.grading.pipeline import Pipeline
from coursekit.grading.released import released_notebooks
from coursekit.grading.running import Threads
from coursekit.grading.selftest import check_sandbox
from coursekit.grading.submission import Round
from coursekit.judging import seeds
from coursekit.kernels.provisioner import SandboxProvisioner
from coursekit.lock import alone
from coursekit.processors import processors

LOG = logging.getLogger("coursekit")


@dataclass(frozen=True)
class Wanted:
    """Whose notebooks are graded, and which.

    Attributes
    ----------
    students : tuple of str
        Empty for everybody who handed something in.
    notebooks : tuple of str
        Empty for all notebooks of the assignment.
    since : datetime or None
        Only what was handed in after this moment, or collected where that is not known; a naive
        time is meant in UTC.
    regrade : bool
        Grade again what has not changed since it was graded.
    """

    students: tuple[str, ...] = ()
    notebooks: tuple[str, ...] = ()
    since: datetime | None = None
    regrade: bool = False


def grade(
    course: Course,
    assignment: str,
    wanted: Wanted = Wanted(),
    progress: Callable[[int, int, Outcome], None] | None = None,
    workers: int | None = None,
    cluster: str | None = None,
) -> list[Outcome]:
    """Grade what the students handed in.

    Whatever happens to one student's notebooks never stops the others. Points that a person gave
    by hand are kept, and marked for another look, unless their notebook is not there any more. A
    run that was broken off goes on where it stopped.

    Parameters
    ----------
    course : Course
    assignment : str
        A released assignment.
    wanted : Wanted, optional
        By default everything that was handed in and is not graded.
    progress : callable, optional
        Called after each student with the number done, the number of all, and the outcome.
    workers : int, optional
        Notebooks that run at a time; by default one for each processor.
    cluster : str, optional
        Address of a Dask scheduler, or path of its file, whose workers run the notebooks.

    Returns
    -------
    list of Outcome
        In the order of the students.

    Raises
    ------
    KitError
        If the assignment was never released, nobody knows one of the students or notebooks, or
        student code cannot be locked in.
    """
    course.released_assignment(assignment)
    students = _students(course, assignment, wanted)
    notebooks = _notebooks(course, assignment, wanted)
    _check_settings(course)
    released = released_notebooks(course, assignment)
    outcomes: dict[str, Outcome] = {}

    def told(outcome):
        outcomes[outcome.student] = outcome
        if progress is not None:
            progress(len(outcomes), len(students), outcome)

    with alone(course), course.gradebook(OpenGradebook) as gradebook:
        round_ = Round(course, assignment, gradebook, released, notebooks, wanted.regrade)
        to_grade = []
        for student in students:
            if round_.is_done(student):
                told(Outcome(student, KEPT))
            else:
                to_grade.append(student)
        if to_grade:
            seeds.new_run()
            with _workers(course, workers, cluster) as running:
                Pipeline(round_, running).run(to_grade, told)
    return [outcomes[student] for student in students]


def _workers(course, workers, cluster):
    """Choose who runs the notebooks, and make sure that they are locked in there."""
    if cluster is not None:
        if not course.sandboxed:
            raise KitError(
                "Student code runs without a sandbox on this machine only; leave "
                "--unsafe-no-sandbox or --dask away."
            )
        return Cluster(cluster, LOG.warning)
    if course.sandboxed:
        check_sandbox(course.config)
    return Threads(workers or processors(), course.sandboxed)


def _students(course: Course, assignment: str, wanted: Wanted) -> list[str]:
    """List the students who are wanted; one whom nobody knows is a slip."""
    handed_in = [folder.parent.name for folder in course.submissions(assignment)]
    students = list(dict.fromkeys(wanted.students)) or handed_in
    with course.gradebook() as gradebook:
        known = {student.id for student in gradebook.students}
    unknown = sorted(set(students) - set(handed_in) - known)
    if unknown:
        raise KitError(
            f"Nobody knows {', '.join(unknown)}: neither the gradebook nor what was handed in of "
            f"{assignment} under {course.submitted}; is it a participant number of MyCourses?"
        )
    excluded = course.directory().student_id_exclude.split(",")
    students = [student for student in students if student not in excluded]
    if wanted.since is None:
        return students
    since = wanted.since if wanted.since.tzinfo else wanted.since.replace(tzinfo=UTC)
    return [s for s in students if handed_in_at(course, assignment, s) > since]


def _notebooks(course: Course, assignment: str, wanted: Wanted) -> list[str]:
    """List the notebooks that are wanted, with or without ``.ipynb``."""
    there = course.notebooks(assignment)
    names = [name.removesuffix(".ipynb") for name in wanted.notebooks] or there
    for name in names:
        if name not in there:
            raise KitError(f"{assignment} has no notebook {name!r}; it has {', '.join(there)}.")
    return names


def _check_settings(course: Course):
    """Refuse settings that student code would run under if they were right."""
    for kind in (BoundedExecute, SandboxProvisioner):
        where = f"{course.root / CONFIG_FILE}"
        unknown = set(course.config[kind.__name__]) - set(kind.class_trait_names(config=True))
        if unknown:
            raise CourseError(
                f"{where}: there is no setting c.{kind.__name__}.{min(unknown)}; there are "
                f"{', '.join(sorted(kind.class_own_traits(config=True)))}"
            )
        try:
            kind(config=course.config)
        except TraitError as problem:
            raise CourseError(f"{where}: {problem}") from problem
