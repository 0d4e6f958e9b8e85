"""Run the demo as ``python -m coursekit.demo``."""

from pathlib import Path
from time import perf_counter

import click
from rich.console import Console

from coursekit.command import WIDTH_OF_A_FILE
from coursekit.course import Course
from coursekit.demo.run import Demo, run
from coursekit.errors import KitError
from coursekit.grading.table import grade_table


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--course",
    "root",
    default=Path(),
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder with nbgrader_config.py; default: this one.",
)
@click.option("--students", metavar="A,B", help="Grade only these of the class.")
@click.option(
    "--unsafe-no-sandbox",
    is_flag=True,
    help="Run the students' code with all your rights, where there is no sandbox.",
)
def main(root: Path, students: str | None, unsafe_no_sandbox: bool):
    """Grade a class of invented students in build/demo and print who got what and why."""
    start = perf_counter()
    try:
        folder = Course(root).build / "demo"
        click.echo(f"Grading a class of invented students in {folder}; this takes some minutes.\n")
        names = students.split(",") if students else None
        demo = run(root, folder, names, click.echo, sandboxed=not unsafe_no_sandbox)
    except (KitError, OSError) as problem:
        raise click.ClickException(str(problem)) from problem
    _show(demo)
    click.echo(f"\n{perf_counter() - start:.0f} s in all")


def _show(demo: Demo):
    console = Console(markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = WIDTH_OF_A_FILE
    console.print()
    console.print(grade_table(demo.results))
    click.echo("\nThe invented students:")
    for student in demo.students:
        click.echo(f"  {student.number}  {student.name}: {student.story}")
    course = demo.course
    click.echo("\nWhere everything lies:")
    for what, path in (
        ("MyCourses' zip and worksheet", course.root / "mycourses"),
        ("graded notebooks", course.autograded),
        ("feedback pages", course.feedback),
        ("grades as a table", demo.grades),
    ):
        click.echo(f"  {what:30}{path}")


if __name__ == "__main__":
    main(prog_name="python -m coursekit.demo")
