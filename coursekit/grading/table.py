"""Show how a class was graded, and who got what and why, as tables for the terminal."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from coursekit.grading.outcome import FAILED, GRADED, KEPT, MISSING, NEEDS_PERSON, Outcome
from coursekit.grading.student import StudentResult, points, why

TOLD = (GRADED, NEEDS_PERSON, FAILED, MISSING)


def grade_table(found: list[StudentResult]) -> Table:
    """Make the table of who got what and why.

    Parameters
    ----------
    found : list of StudentResult

    Returns
    -------
    rich.table.Table
        One row a student, without names.
    """
    table = Table(show_lines=True)
    table.add_column("student", no_wrap=True)
    notebooks = sorted({notebook.name for result in found for notebook in result.notebooks})
    maxima = {points(result.max_score) for result in found if result.state == "graded"}
    total = f"of {maxima.pop()}" if len(maxima) == 1 else "total"
    for heading in (*notebooks, total, "by hand"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("why", ratio=1, overflow="fold")
    for result in found:
        scores = {notebook.name: points(notebook.score) for notebook in result.notebooks}
        graded = result.state == "graded"
        table.add_row(
            result.student,
            *(scores.get(notebook, "") for notebook in notebooks),
            points(result.score) if graded else "",
            points(result.needs_manual) if result.needs_manual else "",
            "\n".join(why(result)),
        )
    return table


def outcome_table(outcomes: Sequence[Outcome], absent: Sequence[str]) -> Table:
    """Make the table that ends a grading run.

    Parameters
    ----------
    outcomes : sequence of Outcome
    absent : sequence of str
        More students who handed in nothing.

    Returns
    -------
    rich.table.Table
        How many are graded, need a person (and why), failed, and did not hand in.
    """
    by_status = {status: [o for o in outcomes if o.status == status] for status in TOLD}
    kept = sum(outcome.status == KEPT for outcome in outcomes)
    table = Table("", "students", "", show_lines=True)
    table.columns[1].justify = "right"
    graded = len(by_status[GRADED]) + kept
    table.add_row("graded", str(graded), f"{kept} of them before" if kept else "")
    for status in (NEEDS_PERSON, FAILED):
        found = by_status[status]
        if found or status == NEEDS_PERSON:
            reasons = "\n".join(f"{outcome.student}: {outcome.detail}" for outcome in found)
            table.add_row(status, str(len(found)), Text(reasons))
    names = [outcome.student for outcome in by_status[MISSING]] + list(absent)
    table.add_row(MISSING, str(len(names)), Text(", ".join(names)))
    return table
