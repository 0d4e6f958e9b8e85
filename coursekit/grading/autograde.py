"""Grade what the students handed in."""

from collections.abc import Callable, Iterable

from traitlets import TraitError

from coursekit.course import CONFIG_FILE, Course
from coursekit.errors import CourseError, KitError
from coursekit.grading.execute import BoundedExecute
from coursekit.grading.outcome import KEPT, Outcome
from coursekit.grading.pipeline import Pipeline, is_graded
from coursekit.grading.selftest import check_sandbox
from coursekit.judging import seeds
from coursekit.kernels.provisioner import SandboxProvisioner


def grade(
    course: Course,
    assignment: str,
    students: Iterable[str] | None = None,
    progress: Callable[[int, int, Outcome], None] | None = None,
    workers: int | None = None,
    regrade: bool = False,
) -> list[Outcome]:
    """Run nbgrader's autograder for each student who handed in the assignment.

    Whatever happens to one student's notebooks never stops the others. Points that a person gave
    by hand are kept, and marked for another look, unless their notebook is not there any more. A
    run that was broken off goes on where it stopped.

    Parameters
    ----------
    course : Course
    assignment : str
        A released assignment.
    students : iterable of str, optional
        Grade only these; by default everybody under `course.submitted`.
    progress : callable, optional
        Called after each student with the number done, the number of all, and the outcome.
    workers : int, optional
        Notebooks that run at a time; by default one for each processor.
    regrade : bool, optional
        Grade those again whose work has not changed since it was graded.

    Returns
    -------
    list of Outcome
        In the order of the students.

    Raises
    ------
    KitError
        If the assignment was never released, nobody knows one of the students, or this machine
        cannot lock student code in.
    """
    course.released_assignment(assignment)
    handed_in = [folder.parent.name for folder in course.submissions(assignment)]
    if students is None:
        students = handed_in
    else:
        students = list(students)
        _check_known(course, assignment, set(students) - set(handed_in))
    _check_settings(course)
    if course.sandboxed:
        check_sandbox(course.config)
    seeds.new_run()
    outcomes = {}

    def told(outcome):
        outcomes[outcome.student] = outcome
        if progress is not None:
            progress(len(outcomes), len(students), outcome)

    to_grade = []
    for student in students:
        if not regrade and is_graded(course, assignment, student):
            told(Outcome(student, KEPT))
        else:
            to_grade.append(student)
    Pipeline(course, assignment, workers).run(to_grade, told)
    return [outcomes[student] for student in students]


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


def _check_known(course: Course, assignment: str, students: set[str]):
    """Refuse students who handed in nothing and whom the gradebook does not list either."""
    with course.gradebook() as gradebook:
        unknown = sorted(students - {student.id for student in gradebook.students})
    if unknown:
        raise KitError(
            f"Nobody knows {', '.join(unknown)}: neither the gradebook nor what was handed in of "
            f"{assignment} under {course.submitted}; is it a participant number of MyCourses?"
        )
