"""The commands that keep a graded round, and that remove one student."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from coursekit.command import FILE, course_command

# nbgrader takes seconds to import: each command imports what it needs, so that help comes at once.
if TYPE_CHECKING:
    from coursekit.course import Course
    from coursekit.keeping.forget import Traces


@course_command
@click.option("--student", required=True, help="The student's id, as coursekit grades prints it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget_(course: "Course", student: str, yes: bool):
    """Remove one student from the course, and say what still names them."""
    from coursekit.keeping.forget import find_traces, forget

    traces = find_traces(course, student)
    if traces and not yes:
        _tell_traces(traces, "would be removed")
        click.confirm("Remove all of it, for good?", abort=True)
    _tell_traces(forget(course, student), "removed")
    click.echo(
        "What you downloaded from MyCourses and keep outside the course is not touched, nor are "
        "backups. A download that holds the student's work brings it back when it is collected "
        "again: remove the student's folder from that zip first, or the submission in MyCourses."
    )


@course_command
@click.argument("assignment", required=False)
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="ZIP",
    help="Where to write; default: ASSIGNMENT-archive.zip in the course's folder.",
)
@click.option("--check", type=FILE, metavar="ZIP", help="Read an archive back, and write none.")
def archive_(course: "Course", assignment: str | None, output: Path | None, check: Path | None):
    """Pack a graded round for keeping; an archive that exists is never replaced."""
    from coursekit.keeping.archive import archive, check_archive

    if check is not None:
        check_archive(check)
        click.echo(f"{check}: every file is as it was packed")
        return
    name = course.assignment(assignment)
    made = archive(course, name, output or course.root / f"{name}-archive.zip")
    click.echo(
        f"{made.files} files of {len(made.students)} students in {made.path}, readable by you "
        "alone; keep it as safe as the gradebook"
    )
    if made.ungraded:
        click.echo(f"  handed in, not graded: {', '.join(made.ungraded)}")
    if made.left_out:
        click.echo(
            "  left out (links, special files, names that are no text): "
            + ", ".join(map(repr, made.left_out))
        )


KEEPING = (forget_, archive_)


def _tell_traces(traces: "Traces", what: str):
    for place in traces.places:
        click.echo(f"{what}: {place}")
    if traces.rows:
        counts = ", ".join(f"{kind} {count}" for kind, count in traces.rows.items())
        click.echo(f"{what} from the gradebook: {counts}")
    for path, command in traces.products.items():
        click.echo(f"{what}: {path}; to make it again: {command}")
    for other in traces.others:
        click.echo(f"the same person under another number: {other}; forget that one too")
    for path in traces.mentions:
        click.echo(f"still names the student, and is not changed: {path}")
    for path in traces.unsearched:
        click.echo(f"damaged, locked or too large to be searched as a whole: {path}")
