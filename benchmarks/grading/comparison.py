"""Compare the graders on one workload: seconds, CPU time, memory, and the scores they give."""

import os
import platform
import statistics
from collections.abc import Callable
from pathlib import Path

import nbgrader

from benchmarks.grading import running
from benchmarks.grading.courses import Workload
from benchmarks.grading.running import Graded

RIVALS = {
    "ours": running.grade_ours,
    "stock": running.grade_stock,
    "stock_2proc": running.grade_stock_2proc,
}
# Ours runs before, between and after its rivals, so that a machine that grows slower or faster
# favours nobody; the median counts.
TURNS = ("ours", "stock", "ours", "stock_2proc", "ours")


def compare(
    workload: Workload,
    folder: Path,
    n: int,
    sizes: tuple[int, ...] = (),
    turns: tuple[str, ...] = TURNS,
    report: Callable[[str], None] = print,
) -> dict:
    """Grade a class by ours and by stock nbgrader.

    Parameters
    ----------
    workload : Workload
    folder : Path
        For copies of the courses.
    n : int
        Number of students, at least two.
    sizes : tuple of int
        Sizes of other classes that are graded by ours alone.
    turns : tuple of str
        The order in which the rivals run.
    report : callable
        Told in one line what each run took.

    Returns
    -------
    dict
        The figures, as ``docs/benchmarks.md`` explains them.

    Raises
    ------
    RuntimeError
        If a grader fails, leaves somebody out, or gives other points than its rivals.
    """

    def run(name, students):
        graded = RIVALS[name](workload, folder / f"{name}-{students}", students)
        _check_complete(name, graded, students)
        usage = graded.usage
        report(
            f"{workload.assignment:8} {name:12} {students:4} students {usage.seconds:7.1f} s  "
            f"{usage.cpu_seconds:7.1f} CPU s  {usage.peak_mb:5.0f} MiB"
        )
        return graded

    runs = {name: [] for name in RIVALS}
    for name in turns:
        runs[name].append(run(name, n))
    everything = n * workload.notebooks

    def each(name, what):
        return statistics.median(getattr(run.usage, what) for run in runs[name]) / everything

    student_cpu = running.student_cpu_seconds(workload, folder / "floor", n) / everything
    report(f"{workload.assignment:8} the students' code alone: {student_cpu:.3f} CPU s a notebook")
    for name in ("stock", "stock_2proc"):
        check_equal(runs["ours"][0], runs[name][0], name)
    by_size = {n: runs["ours"]} | {size: [run("ours", size)] for size in sizes if size != n}
    usages = {size: [graded.usage for graded in found] for size, found in sorted(by_size.items())}
    seconds, cpu = each("ours", "seconds"), each("ours", "cpu_seconds")
    return {
        "n": n,
        "notebooks_a_student": workload.notebooks,
        "stock_2proc_s_per_notebook": each("stock_2proc", "seconds"),
        "stock_s_per_notebook": each("stock", "seconds"),
        "ours_s_per_notebook": seconds,
        "ratio": each("stock", "seconds") / seconds,
        "ratio_2proc": each("stock_2proc", "seconds") / seconds,
        "student_cpu_s_per_notebook": student_cpu,
        "ours_cpu_s_per_notebook": cpu,
        "overhead_cpu_s_per_notebook": cpu - student_cpu,
        "parent_peak_mb": {
            str(size): max(usage.peak_mb for usage in found) for size, found in usages.items()
        },
        "scaling_s": {
            str(size): statistics.median(usage.seconds for usage in found)
            for size, found in usages.items()
        },
        "scores_equal": True,
    }


def machine() -> dict:
    """Describe where the figures come from, and how busy it was."""
    return {
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "nbgrader": nbgrader.__version__,
        "load_at_start": os.getloadavg()[0],
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _check_complete(name: str, graded: Graded, students: int):
    """Make sure that each student has points in each test cell."""
    found = {student for student, *_ in graded.scores}
    blank = [where for where, (score, _) in graded.scores.items() if score is None]
    if len(found) != students or blank:
        raise RuntimeError(f"{name} graded {len(found)} of {students}; without points: {blank}")


def check_equal(ours: Graded, stock: Graded, name: str):
    """Make sure that stock gives the same points, or none where ours gives a part of them.

    Parameters
    ----------
    ours, stock : Graded
    name : str
        Which of the stock rivals it is.

    Raises
    ------
    RuntimeError
        Naming the first cell with other points.
    """
    expected = {
        where: score if score == most else 0 for where, (score, most) in ours.scores.items()
    }
    found = {where: score for where, (score, _) in stock.scores.items()}
    differing = {where for where in expected | found if expected.get(where) != found.get(where)}
    if differing:
        where = min(differing)
        raise RuntimeError(
            f"{name} gives other points than ours; cells: {len(differing)}, first {where}: "
            f"{found.get(where)}, expected {expected.get(where)}"
        )
