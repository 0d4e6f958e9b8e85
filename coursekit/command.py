"""What the commands of the command line share: options, and how they tell what they do."""

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import Progress

from coursekit.errors import KitError

# nbgrader takes seconds to import: each command imports what it needs, so that help comes at once.
if TYPE_CHECKING:
    from coursekit.course import Course

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
MOMENT = click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"])
WIDTH_OF_A_FILE = 120


def course_command(function: Callable) -> click.Command:
    """Make a command with the options that all have; it receives a `Course`."""

    @click.command(name=function.__name__.rstrip("_"))
    @click.option(
        "--course",
        "folder",
        default=Path(),
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The folder with nbgrader_config.py; default: this one.",
    )
    @click.option("--verbose", is_flag=True, help="Show nbgrader's log.")
    @functools.wraps(function)
    def command(folder, verbose, **options):
        from coursekit.conversion import LOG
        from coursekit.course import Course

        handler = logging.StreamHandler() if verbose else logging.NullHandler()
        LOG.addHandler(handler)
        try:
            function(Course(folder), **options)
        finally:
            LOG.removeHandler(handler)

    return command


def runs_student_code(function: Callable) -> Callable:
    """Give a command the switch that takes the sandbox away; it gets a course that knows."""

    @click.option(
        "--unsafe-no-sandbox",
        is_flag=True,
        help="Run student code with all your rights, where there is no sandbox.",
    )
    @functools.wraps(function)
    def command(course, *arguments, unsafe_no_sandbox, **options):
        if unsafe_no_sandbox:
            course.give_up_sandbox()
        if not course.sandboxed:
            click.echo(
                "Warning: student code runs without a sandbox, with all your rights.", err=True
            )
        return function(course, *arguments, **options)

    return command


def console() -> Console:
    """Return a console that takes nothing for markup, wide enough where it is a file."""
    made = Console(markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made.width = WIDTH_OF_A_FILE
    return made


def write_feedback(course: "Course", what: str, write: Callable) -> dict[str, str]:
    """Write something for each graded student, and tell for how many.

    Parameters
    ----------
    course : Course
    what : str
        Its name, in the plural.
    write : callable
        Called with a function that takes the number of students done and of all; returns for
        each an empty string, or the sentence why nothing was written.

    Returns
    -------
    dict
        The sentences of those for whom nothing was written.

    Raises
    ------
    KitError
        If nobody is graded, or after Ctrl-C.
    """
    where = console()
    with Progress(console=where, transient=True, disable=not where.is_terminal) as bar:
        task = bar.add_task("Feedback", total=None)
        try:
            outcomes = write(lambda n, m: bar.update(task, completed=n, total=m))
        except KeyboardInterrupt:
            raise KitError(f"Stopped; the {what} that were written are there.") from None
    if not outcomes:
        raise KitError(f"Nobody is graded yet under {course.autograded}; run coursekit grade.")
    failed = {student: problem for student, problem in outcomes.items() if problem}
    click.echo(f"{len(outcomes) - len(failed)} students' {what} in {course.feedback}")
    for student, problem in failed.items():
        click.echo(f"  {student}: {problem}")
    return failed


def end_with(failed: dict[str, str], what: str) -> None:
    """End a command with a failure if something could not be written for everybody.

    Raises
    ------
    KitError
        If `failed` is not empty.
    """
    if failed:
        raise KitError(f"No {what} could be written for: {', '.join(failed)}.")
