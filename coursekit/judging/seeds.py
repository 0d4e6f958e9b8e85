"""Seeds of the challenges: from a secret of the course, the grading run and the task."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path

RUN = secrets.token_hex(8)
"""Name of this grading run: new in every process, the same for all students graded by it."""


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
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return bytes.fromhex(path.read_text())
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return course_secret(path)


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
        In [0, 2**64).
    """
    digest = hmac.new(secret, f"{run}/{task}".encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big")
