"""Run a notebook of a student: a function of its text, for a worker that knows nothing else."""

import json
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import nbformat
import psutil
from jupyter_core.utils import ensure_event_loop
from traitlets.config import Config

from coursekit.grading.execute import BoundedExecute
from coursekit.kernels.launcher import launcher


@dataclass(frozen=True)
class Job:
    """A notebook to run.

    Attributes
    ----------
    notebook : str
        JSON text.
    folder : str
        Its files are copied for the kernel.
    settings : dict
        The course's configuration, as far as it is about running.
    """

    notebook: str
    folder: str
    settings: dict


def run(job):
    """Run a notebook in a kernel of its own.

    Parameters
    ----------
    job : Job

    Returns
    -------
    str
        The notebook after the run, as JSON text.

    Raises
    ------
    SandboxError
        If student code would not be locked in.
    """
    notebook = nbformat.reads(job.notebook, as_version=4)
    execute = BoundedExecute(config=Config(job.settings))
    execute.preprocess(notebook, {"metadata": {"path": job.folder}, "nbgrader": {}})
    return json.dumps(notebook)


def run_in_thread(job):
    """Do the same in a thread, and close the event loop that nbclient leaves there."""
    try:
        return run(job)
    finally:
        ensure_event_loop().close()


class Threads:
    """Runs notebooks on this machine, several at a time; leave it as a context.

    Parameters
    ----------
    width : int
        Notebooks that run at a time.
    sandboxed : bool
        Whether the course's notebooks run in the sandbox.
    """

    def __init__(self, width: int, sandboxed: bool):
        self.width, self._sandboxed = width, sandboxed
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="grading")

    def submit(self, job: Job) -> Future:
        """Run a notebook; the future gives its text after the run."""
        return self._pool.submit(run_in_thread, job)

    def __enter__(self):
        """Begin."""
        return self

    def __exit__(self, kind, problem, traceback):
        """End; if by an exception, at once."""
        if kind is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            # The kernels' end is that of the threads, which wait for them.
            if self._sandboxed:
                launcher().close()
            else:
                for kernel in psutil.Process().children():
                    with suppress(psutil.NoSuchProcess):
                        kernel.kill()
        self._pool.shutdown()
