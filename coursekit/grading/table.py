"""Show who got what, and why, as a table for the terminal."""

from rich.table import Table

from coursekit.grading.student import StudentResult, points, why


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
