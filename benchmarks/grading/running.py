"""Run the graders as their users do, and see what each takes and gives."""

import os
import subprocess
import sys
import sysconfig
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook

from benchmarks.grading.courses import ROOT, Workload

THREADS = "OPENBLAS_NUM_THREADS"
LOG = "bench.log"
LOOK_EVERY = 0.02  # seconds
MIB_IN_KIB = 1024


@dataclass(frozen=True)
class Usage:
    """What a grading took, from the start of Python to its end.

    Attributes
    ----------
    seconds : float
        By the clock.
    cpu_seconds : float
        Of the processes and of all their descendants.
    peak_mb : float
        Most memory that the first process itself had in use, in MiB.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Graded:
    """A graded class.

    Attributes
    ----------
    usage : Usage
    scores : dict
        Points and points to be had by student, notebook and test cell.
    """

    usage: Usage
    scores: dict[tuple[str, str, str], tuple[float, float]]


def grade_ours(workload: Workload, folder: Path, n: int) -> Graded:
    """Grade by ``coursekit grade``, with as many workers as it takes by itself.

    Parameters
    ----------
    workload : Workload
    folder : Path
    n : int
        Number of students.

    Returns
    -------
    Graded
    """
    course = workload.handed_in(workload.ours, folder, range(n))
    return _graded(workload, [course], "coursekit", "grade")


def grade_stock(workload: Workload, folder: Path, n: int) -> Graded:
    """Grade by ``nbgrader autograde``, with BLAS as it comes; see `grade_ours`."""
    course = workload.handed_in(workload.stock, folder, range(n))
    return _graded(workload, [course], "nbgrader", "autograde")


def grade_stock_2proc(workload: Workload, folder: Path, n: int) -> Graded:
    """Grade by two ``nbgrader autograde``, each with half of the class and its own gradebook.

    BLAS has one thread; see `grade_ours`.
    """
    courses = [
        workload.handed_in(workload.stock, folder / f"{half}", range(half, n, 2)) for half in (0, 1)
    ]
    return _graded(workload, courses, "nbgrader", "autograde", **{THREADS: "1"})


def student_cpu_seconds(workload: Workload, folder: Path, n: int) -> float:
    """Measure the CPU time of the students' code alone; see `floor`.

    Parameters
    ----------
    workload : Workload
    folder : Path
    n : int
        Number of students.

    Returns
    -------
    float
        Seconds of all together.
    """
    course = workload.handed_in(workload.ours, folder, range(n))
    released = course / "release" / workload.assignment
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.grading.floor", str(released)),
            *map(str, sorted(course.glob("submitted/*/*/*.ipynb"))),
        ],
        cwd=ROOT,
        env=_environment(**{THREADS: "1"}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)


def _graded(workload, courses, program, command, **environment) -> Graded:
    arguments = [sys.executable, "-m", program, command, workload.assignment]
    usage = _run(arguments, courses, _environment(**environment))
    scores = {}
    for course in courses:
        scores |= _scores(course, workload.assignment)
    return Graded(usage, scores)


def _environment(**more):
    """Make the environment of a shell in which nobody has set the threads of BLAS."""
    inherited = {name: value for name, value in os.environ.items() if name != THREADS}
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    return {**inherited, "PATH": path, **more}


def _run(arguments: list[str], folders: list[Path], environment: dict[str, str]) -> Usage:
    """Run a command in several folders at a time."""
    start = time.perf_counter()
    running = {}
    for folder in folders:
        with (folder / LOG).open("wb") as log:
            process = subprocess.Popen(
                arguments, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
            )
        running[process] = folder
    first, peak, cpu = next(iter(running)), 0, 0.0
    while running:
        time.sleep(LOOK_EVERY)
        peak = _peak_kib(first.pid) or peak
        for process, folder in list(running.items()):
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                cpu += usage.ru_utime + usage.ru_stime
                del running[process]
                _check_success(process, folder)
    return Usage(time.perf_counter() - start, cpu, peak / MIB_IN_KIB)


def _peak_kib(pid):
    """Give the most memory a process had; 0 of one that ended.

    What `wait4` tells would be that of its largest descendant.
    """
    with suppress(OSError), open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def _check_success(process, folder):
    if process.returncode:
        words = (folder / LOG).read_text("utf-8", "replace")[-2000:]
        raise RuntimeError(f"{process.args} in {folder} ended with {process.returncode}:\n{words}")


def _scores(course, assignment):
    """Read the points of all test cells."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        return {
            (submission.student.id, notebook.name, grade.name): (grade.auto_score, grade.max_score)
            for submission in gradebook.assignment_submissions(assignment)
            for notebook in submission.notebooks
            for grade in notebook.grades
            if grade.cell.cell_type == "code"
        }
