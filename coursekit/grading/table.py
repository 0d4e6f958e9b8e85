"""Show who got what, and why, as a table for the terminal."""

from rich.table import Table

from coursekit.grading.results import StudentResult, points

SHOWN = 3
"""How many reasons a student's row tells before it only counts."""


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
        return [result.state]
    lines = [f"{result.late_seconds / 3600:.1f} h late"] if result.late_seconds else []
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
    return lines + reasons


def _cost(lost):
    return lost.max_score - lost.score


def _cells(cells):
    names = [lost.cell for lost in cells]
    return ", ".join(names) if len(names) < 3 else f"{names[0]} and {len(names) - 1} more"
