"""Run a notebook of a student: a function of its text, for a worker that knows nothing else."""

import json
from dataclasses import dataclass

import nbformat
from jupyter_core.utils import ensure_event_loop
from traitlets.config import Config

from coursekit.grading.execute import BoundedExecute


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
