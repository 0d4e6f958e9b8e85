"""Make sure, before any student code runs, that the course is out of its reach."""

import os
from pathlib import Path

import nbgrader
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.engine import make_url
from traitlets.config import Application

import coursekit
from coursekit.judging import seeds
from coursekit.judging.preprocessors import PoseChallenges
from coursekit.kernels.launcher import SandboxError, launcher
from coursekit.kernels.provisioner import SandboxProvisioner

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
    opened = running.what_opens([*paths, *settings.readable], *extra)
    closed = sorted(set(settings.readable) - set(opened))
    if closed:
        raise SandboxError(
            f"Student code is not run, because it could not read {', '.join(closed)}, which "
            "c.SandboxProvisioner.readable names; let every user of the machine read it"
        )
    opened = [path for path in opened if path in paths]
    if opened:
        raise SandboxError(
            f"Student code is not run, because it could read {', '.join(opened)}; move the course "
            "out of the folders of the system and of Python's packages, and look at "
            "c.SandboxProvisioner.readable and c.SandboxProvisioner.packages"
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
        # files, because names in the folder of all packages may be listed
        *Path(coursekit.__file__).parent.rglob("*.py"),
        Path(nbgrader.__file__),
        Path.home(),
    ]
    return sorted({str(place) for place in places})


def begin_run(config):
    """Make nbgrader's hook before grading: refuse without a sandbox, else begin a grading run.

    nbgrader turns an exception into a traceback for each student; here it ends with a sentence.

    Parameters
    ----------
    config : traitlets.config.Config
        The course's configuration, as ``nbgrader_config.py`` makes it.

    Returns
    -------
    callable
        For ``c.Autograde.pre_convert_hook``.
    """

    def hook(**_):
        settings = [config]
        if Application.initialized():  # the command line has the last word
            settings.append(Application.instance().config)
        if not any(found.BoundedExecute.get("unsafe_no_sandbox") for found in settings):
            try:
                check_sandbox(config)
            except SandboxError as problem:
                raise SystemExit(f"nbgrader: {problem}") from None
        seeds.new_run()

    return hook
