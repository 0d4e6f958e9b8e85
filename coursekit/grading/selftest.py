"""Make sure, before any student code runs, that the course is out of its reach."""

import os
from functools import cache
from importlib import metadata
from pathlib import Path

import nbgrader
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.engine import make_url

import coursekit
from coursekit.judging.preprocessors import PoseChallenges
from coursekit.kernels.launcher import SandboxError, launcher
from coursekit.kernels.provisioner import SandboxProvisioner

READABLE = "c.SandboxProvisioner.readable"
FOLDERS = ("source", "submitted", "autograded", "feedback")

_checked = set()


def check_sandbox(config):
    """Try from inside the sandbox to open what students must not see, and what they need.

    The same launcher is asked once about the same files.

    Parameters
    ----------
    config : traitlets.config.Config
        The course's configuration.

    Raises
    ------
    SandboxError
        If what must not open does, or what the course names does not, or this machine cannot
        run the sandbox.
    """
    settings = SandboxProvisioner(config=config)
    extra = tuple(settings.packages), tuple(settings.readable)
    paths = tuple(path for path in out_of_reach(config) if os.path.exists(path))
    running = launcher()
    question = running, paths, extra
    if question in _checked:
        return
    for name in settings.packages:
        if not any(metadata.distributions(name=name)):
            raise SandboxError(
                f"There is no installed package {name}, which c.SandboxProvisioner.packages names; "
                f"run: python -m pip install {name}"
            )
    opened = running.what_opens([*paths, *settings.readable], *extra)
    for path in settings.readable:
        if not os.path.exists(path):
            raise SandboxError(f"There is no {path}, which {READABLE} names; give its full path")
        if path not in opened:
            raise SandboxError(
                f"Student code is not run, because it could not read {path}, which {READABLE} "
                "names; let every user of the machine read it"
            )
    within_reach = sorted(set(opened) & set(paths), key=len)
    if within_reach:
        more = f" and {len(within_reach) - 1} more" if len(within_reach) > 1 else ""
        raise SandboxError(
            f"Student code is not run, because it could read {within_reach[0]}{more}; look at "
            f"{READABLE} and c.SandboxProvisioner.packages, or move the course out of the "
            "folders of the system and of Python's packages"
        )
    _checked.add(question)


def out_of_reach(config):
    """List what student code must not be able to open.

    Parameters
    ----------
    config : traitlets.config.Config

    Returns
    -------
    list of str
    """
    directory = CourseDirectory(config=config)
    root = Path(directory.root)
    database = make_url(directory.db_url).database
    places = [
        root,
        root / "nbgrader_config.py",
        root / PoseChallenges(config=config).secret_file,
        *(root / getattr(directory, f"{name}_directory") for name in FOLDERS),
        *([root / database] if database else []),
        *_modules(),
        os.path.expanduser("~"),  # unlike Path.home, without complaint where there is none
    ]
    return sorted({str(place) for place in places})


@cache
def _modules():
    """List files, because names in the folder of all packages may be listed."""
    return [*Path(coursekit.__file__).parent.rglob("*.py"), Path(nbgrader.__file__)]
