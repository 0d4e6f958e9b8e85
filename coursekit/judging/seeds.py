"""Seeds of the challenges: from a secret of the course, the grading run and the task."""

import contextlib
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

_run = secrets.token_hex(8)


def new_run(**_):
    """Begin a grading run: from now on all challenges are others.

    nbgrader calls it before it autogrades (``c.Autograde.pre_convert_hook``), with arguments that
    do not matter here.
    """
    global _run
    _run = secrets.token_hex(8)


def run():
    """Name the grading run in progress.

    Returns
    -------
    str
        The same for all students who are graded in one run.
    """
    return _run


def course_secret(path):
    """Read the course's secret, making it on first use, readable by its owner only.

    Parameters
    ----------
    path : str or Path
        The secret's file; its folder is made if missing.

    Returns
    -------
    bytes
    """
    path = Path(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _make_secret(path)
    return bytes.fromhex(path.read_text())


def _make_secret(path):
    """Write a new secret whole or not at all; where two graders do it, the first one's counts."""
    descriptor, scratch = tempfile.mkstemp(dir=path.parent)  # readable by its owner only
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    with contextlib.suppress(FileExistsError):
        os.link(scratch, path)
    os.remove(scratch)


def seed(secret, run, task):
    """Give the seed of a task's challenges in one grading run.

    Parameters
    ----------
    secret : bytes
    run : str
        Name of the grading run.
    task : str
        Name of the task.

    Returns
    -------
    int
        In [0, 2**48): a notebook keeps it exactly.
    """
    digest = hmac.new(secret, f"{run}/{task}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:6], "big")
