"""The instructor's command line."""

import gc
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from coursekit import __version__
from coursekit.command import (
    FILE,
    MOMENT,
    console,
    course_command,
    end_with,
    runs_student_code,
    write_feedback,
)
from coursekit.errors import KitError
from coursekit.formgrader.commands import FORMGRADER
from coursekit.keeping.commands import KEEPING
from coursekit.mycourses.commands import MYCOURSES
from coursekit.report.commands import REPORT

# nbgrader takes seconds to import: each command imports what it needs, so that help comes at once.
if TYPE_CHECKING:
    from coursekit.course import Course

YOUNG_OBJECTS = 10_000  # new ones after which the garbage collector looks for rings among them


class _Group(click.Group):
    """Tells a failure that a user can mend as one sentence, without a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except KitError as problem:
            raise click.ClickException(str(problem)) from problem
        except BrokenPipeError:
            raise  # click ends in silence when the reader of a pipe has gone
        except OSError as problem:
            where = f"{problem.filename}: " if problem.filename else ""
            raise click.ClickException(f"{where}{problem.strerror or problem}.") from problem


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="coursekit")
def main():
    """Release, collect and grade an exercise round.

    ASSIGNMENT is the name of a folder under source/; it may be left out where there is only one.
    """
    # The round's matrices are small: more threads of BLAS only cost time, here and in the kernels.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@course_command
@click.argument("assignment", required=False)
@click.option(
    "--due",
    type=MOMENT,
    help="The deadline, in the course's time zone.",
)
def release_(course: "Course", assignment: str | None, due: datetime | None):
    """Make the students' version and its zip for MyCourses."""
    from coursekit.release import release

    made = release(course, course.assignment(assignment), due)
    click.echo(f"{len(made.files)} files in {made.folder}; the zip for MyCourses: {made.archive}")


@course_command
@click.argument("assignment", required=False)
@click.option("--student", "students", multiple=True, help="Grade this one only; may be repeated.")
@click.option("--notebook", "notebooks", multiple=True, help="Only this one; may be repeated.")
@click.option(
    "--since",
    type=MOMENT,
    help="Only what was handed in after this, in the course's time zone.",
)
@click.option(
    "--regrade", is_flag=True, help="Grade again what has not changed since it was graded."
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Notebooks to run at a time; default: one for each processor.",
)
@click.option(
    "--dask",
    "cluster",
    metavar="SCHEDULER",
    help="Run the notebooks on a Dask cluster: tcp://host:8786, or a scheduler file.",
)
@click.option("--quiet", is_flag=True, help="Print nothing but what went wrong.")
@runs_student_code
def grade_(
    course: "Course",
    assignment: str | None,
    workers: int | None,
    cluster: str | None,
    quiet: bool,
    since: datetime | None,
    **which,
):
    """Run and grade what was collected; go on where an earlier run was broken off."""
    from coursekit.grading.absent import not_handed_in
    from coursekit.grading.autograde import Wanted, grade
    from coursekit.grading.outcome import FAILED, NEEDS_PERSON
    from coursekit.grading.progress import ClassProgress
    from coursekit.grading.table import outcome_table

    if workers and cluster:
        raise click.UsageError("--workers is for this machine; a --dask cluster has its own.")
    name = course.assignment(assignment)
    wanted = Wanted(**which, since=since and course.to_utc(since))
    terminal = console()
    # What is imported by now stays to the end: the garbage collector took 30 ms a notebook to look
    # through it, again and again.
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
    with ClassProgress(terminal, quiet) as progress:
        try:
            outcomes = grade(course, name, wanted, progress, workers, cluster)
        except KeyboardInterrupt:
            raise KitError(
                "Stopped; the same command grades those who are not graded yet."
            ) from None
    if not course.submissions(name):
        raise KitError(f"Nobody's work lies under {course.submitted}; run coursekit collect.")
    if not quiet:
        absent = [] if which["students"] or since else not_handed_in(course, name)
        terminal.print(outcome_table(outcomes, absent))
        click.echo(progress.pace)
    trouble = [outcome for outcome in outcomes if outcome.status in (NEEDS_PERSON, FAILED)]
    if trouble:
        for outcome in trouble if quiet else ():
            click.echo(f"{outcome.student}: {outcome.detail}", err=True)
        who = ", ".join(outcome.student for outcome in trouble)
        raise KitError(f"Not graded: {who}; the reasons stand above.")


@main.command()
@click.argument("arguments", nargs=-1, metavar="[ASSIGNMENT | NOTEBOOK.ipynb...]")
@click.option(
    "--course",
    "folder",
    default=Path(),
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="For feedback: the folder with nbgrader_config.py; default: this one.",
)
@click.option(
    "--student", "students", multiple=True, help="This one's feedback only; may be repeated."
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="For notebooks: where the PDFs go; default: each beside its notebook.",
)
@click.option(
    "--paper",
    type=click.Choice(["a4", "us-letter"]),
    default="a4",
    show_default=True,
    help="Paper size.",
)
@click.pass_context
def pdf(ctx, arguments: tuple[str, ...], folder: Path, students, output: Path | None, paper: str):
    """Write notebooks, or the feedback of a class, as PDF.

    With the names of notebooks, each becomes a PDF beside itself.

    Otherwise the graded notebooks of each student become one PDF with points and comments,
    feedback/<student>/<assignment>/<assignment>.pdf. Write the feedback pages first, if you want
    both: coursekit feedback begins with an empty folder.
    """
    if any(argument.endswith(".ipynb") for argument in arguments):
        if students:
            raise click.UsageError("--student is for the feedback of a class.")
        _notebook_pdfs([FILE.convert(name, None, ctx) for name in arguments], output, paper)
    elif len(arguments) > 1:
        raise click.UsageError("Expected notebooks, or one assignment.")
    elif output:
        raise click.UsageError("--output is for notebooks; feedback has its own folder.")
    else:
        _feedback_pdfs(folder, next(iter(arguments), None), students, paper)


def _notebook_pdfs(notebooks: list[Path], output: Path | None, paper: str):
    from coursekit.pdf import targets, write_pdf

    failed = []
    for target, notebook in targets(notebooks, output).items():
        try:
            boxed = write_pdf(notebook, target, paper)
        except KitError as problem:
            failed.append(notebook.name)
            click.echo(problem)
            continue
        click.echo(f"Written: {target}")
        for sentence in boxed:
            click.echo(f"  in a box: {sentence}")
    if failed:
        raise KitError(f"No PDF could be written of: {', '.join(failed)}.")


def _feedback_pdfs(folder: Path, assignment: str | None, students: tuple[str, ...], paper: str):
    from coursekit.course import Course
    from coursekit.grading.feedback_pdf import feedback_pdfs

    course = Course(folder)
    name = course.assignment(assignment)
    failed = write_feedback(
        course, "PDFs", lambda told: feedback_pdfs(course, name, students, told, paper=paper)
    )
    end_with(failed, "PDFs")


@course_command
@click.argument("assignment", required=False)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="CSV",
    help="Where to write; default: grades.csv in the course's folder.",
)
def grades_(course: "Course", assignment: str | None, output: Path | None):
    """Write grades.csv and print who got what, and why."""
    from coursekit.grading.results import results, write_grades
    from coursekit.grading.table import grade_table

    found = results(course, course.assignment(assignment))
    path = output or course.root / "grades.csv"
    write_grades(found, path)
    console().print(grade_table(found))
    click.echo(f"Written: {path}")


@course_command
@click.argument("assignment", required=False)
@click.option("--student", required=True, help="The student's id.")
@click.option("--cell", required=True, help="The judged cell, for example gradient-W1.")
@runs_student_code
def verdict_(course: "Course", assignment: str | None, student: str, cell: str):
    """Explain a verdict, and judge the cell again with the same challenges."""
    from coursekit.judging.appeal import appeal

    found = appeal(course, course.assignment(assignment), student, cell)
    click.echo(f"{found.notebook}, cell {cell}, seed {found.stored.seed}\n\n{found.stored.text}\n")
    if not found.reproduced:
        raise KitError(
            f"Judged again with the same challenges, the verdict differs:\n{found.again.text}"
        )
    click.echo("Judged again with the same challenges: the same verdict.")


@main.command()
@click.option(
    "--course",
    "folder",
    default=Path(),
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A course to look at too; default: this folder, if it is one.",
)
def doctor(folder: Path):
    """Show what this machine offers for grading, and what to do about each miss."""
    from coursekit.doctor import MISSING, examine, findings_table

    terminal = console()
    with terminal.status("Looking at the machine, and starting the sandbox ..."):
        findings = examine(folder)
    terminal.print(findings_table(findings))
    missing = [finding.what for finding in findings if finding.status == MISSING]
    if missing:
        raise KitError(
            "Student code cannot be graded safely here yet; mend what is missing: "
            f"{', '.join(missing)}."
        )


for command in (release_, grade_, grades_, verdict_, *FORMGRADER, *MYCOURSES, *REPORT, *KEEPING):
    main.add_command(command)
