"""The figures of build/bench.json as a Markdown table, for docs/benchmarks.md."""

ROWS = (
    ("stock nbgrader, s a notebook", "stock_s_per_notebook", ".2f"),
    ("stock in two processes, s a notebook", "stock_2proc_s_per_notebook", ".2f"),
    ("`coursekit grade`, s a notebook", "ours_s_per_notebook", ".3f"),
    ("times as fast as stock", "ratio", ".1f"),
    ("times as fast as stock in two processes", "ratio_2proc", ".1f"),
    ("the students' code, CPU s a notebook", "student_cpu_s_per_notebook", ".3f"),
    ("`coursekit grade`, CPU s a notebook", "ours_cpu_s_per_notebook", ".3f"),
    ("overhead, CPU s a notebook", "overhead_cpu_s_per_notebook", ".3f"),
)


def markdown(result: dict) -> str:
    """Write the table.

    Parameters
    ----------
    result : dict
        As in ``build/bench.json``.

    Returns
    -------
    str
    """
    columns = [result, result["round"]] if "round" in result else [result]
    headings = ["", *(_heading(figures) for figures in columns)]
    rows = [
        [words, *(format(figures[key], form) for figures in columns)] for words, key, form in ROWS
    ]
    for words, key, form in (
        ("seconds for {} students", "scaling_s", ".0f"),
        ("most memory of the grader with {} students, MiB", "parent_peak_mb", ".0f"),
    ):
        for size in sorted({int(size) for figures in columns for size in figures[key]}):
            found = [figures[key].get(str(size)) for figures in columns]
            rows.append(
                [words.format(size), *("" if one is None else format(one, form) for one in found)]
            )
    lines = [headings, ["---", *("---:" for _ in columns)], *rows]
    return "\n".join(["| " + " | ".join(line) + " |" for line in lines] + ["", _place(result)])


def _heading(figures):
    name = "light notebook" if figures["notebooks_a_student"] == 1 else "whole round"
    return f"{name}, {figures['n']} students"


def _place(result):
    machine = result["machine"]
    return (
        f"{machine['processor']}, {machine['processors']} processors, {machine['system']}, "
        f"Python {machine['python']}, nbgrader {machine['nbgrader']}; load average at the start "
        f"{machine['load_at_start']:.2f}."
    )
