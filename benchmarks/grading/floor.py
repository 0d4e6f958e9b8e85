"""What do the students' notebooks cost by themselves? Their CPU time without Jupyter.

Run as ``python -m benchmarks.grading.floor FOLDER NOTEBOOK ...``, with OPENBLAS_NUM_THREADS=1: a
process that has imported what our kernels find imported forks a child for each notebook. A child
executes the code cells as they were handed in, that is without hidden tests and challenges, draws
each cell's figures as PNG, as a notebook does, and ends. As many run at a time as there are
processors, for a busy machine computes more slowly. Printed are the CPU seconds of all children.
"""

import gc
import io
import os
import sys
from importlib import import_module
from pathlib import Path

import matplotlib
import nbformat

from coursekit.kernels import policy


def cpu_seconds(folder: Path, paths: list[Path]) -> float:
    """Execute notebooks, each in a process of its own, and add up what they take.

    Parameters
    ----------
    folder : Path
        Where they run; modules in it can be imported.
    paths : list of Path

    Returns
    -------
    float
    """
    _warm_up()
    sources = [_code(path) for path in paths]
    room, seconds = len(os.sched_getaffinity(0)), 0.0
    for number, cells in enumerate(sources):
        if number >= room:
            seconds += _ended()
        if os.fork() == 0:
            _execute(cells, folder)
            os._exit(0)
    return seconds + sum(_ended() for _ in range(min(room, len(sources))))


def _warm_up():
    matplotlib.use("agg")
    for name in policy.PRELOADED:
        import_module(name)
    plt = import_module("matplotlib.pyplot")
    plt.plot([0, 1])
    _draw_figures(plt)  # finds the fonts
    gc.collect()
    gc.freeze()  # as before our kernels are forked


def _code(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def _execute(cells, folder):
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    plt = sys.modules["matplotlib.pyplot"]
    namespace = {"__name__": "__main__"}
    for source in cells:
        try:
            exec(compile(source, "<cell>", "exec"), namespace)
        except Exception:  # of a wrong answer; a notebook goes on with the next cell
            continue
        finally:
            _draw_figures(plt)


def _draw_figures(plt):
    for number in plt.get_fignums():
        plt.figure(number).savefig(io.BytesIO(), format="png", bbox_inches="tight")
    plt.close("all")


def _ended():
    """Wait for a child to end, and give its CPU seconds."""
    _, status, usage = os.wait3(0)
    if status:
        raise RuntimeError(f"a notebook ended its process: wait status {status}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    print(cpu_seconds(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
