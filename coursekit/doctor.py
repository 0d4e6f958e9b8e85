"""What the machine offers for a course, and what to do about each miss."""

import ctypes
import errno
import os
import platform
import shutil
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from coursekit.errors import CourseError
from coursekit.kernels import policy

# What lies behind a row is imported by that row alone: some of it exists on Linux only, and a
# package that is not installed must not keep the other rows from being told.
if TYPE_CHECKING:
    from coursekit.course import Course

OK, NOTE, MISSING = "ok", "note", "missing"
STYLES = {OK: "green", NOTE: "yellow", MISSING: "bold red"}
WIDEST_FINDING = 68  # the whole table fits in 100 columns

DISTRIBUTION = "coursekit"
OLDEST_PYTHON = (3, 11)
INSTALL = "Run: python -m pip install -r requirements.txt -e ."
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "firefox")
CJK = "漢"  # written in Chinese, Japanese and Korean alike
LOW_SPACE = ((policy.GIB, MISSING), (5 * policy.GIB, NOTE))  # below so many bytes


@dataclass(frozen=True)
class Finding:
    """One row of what was found.

    Attributes
    ----------
    what : str
    found : str
    status : {"ok", "note", "missing"}
        Only what is missing keeps the machine from grading in the sandbox.
    remedy : str
        What to do; empty where all is well.
    """

    what: str
    found: str
    status: str = OK
    remedy: str = ""


@dataclass(frozen=True)
class _Here:
    """Where the examination takes place; `problem` says why a course there cannot be used."""

    folder: Path
    course: "Course | None" = None
    problem: str = ""

    @property
    def config(self):
        """The course's configuration; without a course the defaults."""
        from traitlets.config import Config

        return self.course.config if self.course else Config()


def examine(course_root=None):
    """Look at the machine, and try the sandbox, which takes a few seconds.

    Parameters
    ----------
    course_root : path, optional
        A folder, which may hold a course; default: the current one.

    Returns
    -------
    list of Finding
    """
    here = _arrive(Path(course_root or "").resolve())
    return [_look(what, here) for what in ROWS if _on_linux() or what not in ONLY_ON_LINUX]


def findings_table(findings):
    """Make a table for the terminal, at most 100 columns wide.

    Parameters
    ----------
    findings : list of Finding

    Returns
    -------
    rich.table.Table
    """
    table = Table()
    table.add_column("what", no_wrap=True)
    table.add_column("status", no_wrap=True)
    table.add_column("found, and what to do", max_width=WIDEST_FINDING, overflow="fold")
    for finding in findings:
        told = "\n".join(filter(None, (finding.found, finding.remedy)))
        table.add_row(finding.what, Text(finding.status, STYLES[finding.status]), Text(told))
    return table


def _arrive(folder):
    try:
        from coursekit.course import CONFIG_FILE, Course

        return _Here(folder, Course(folder) if (folder / CONFIG_FILE).is_file() else None)
    except (CourseError, ImportError) as problem:
        return _Here(folder, problem=str(problem))


def _look(what, here):
    look, remedy = ROWS[what]
    try:
        found, status, *special = look(here)
    except Exception as problem:  # a broken installation fails in any way; the rest is still told
        special = [INSTALL] if isinstance(problem, ImportError) else []
        found, status = f"{type(problem).__name__}: {problem}", MISSING
    remedy = special[0] if special else remedy
    return Finding(what, found, status, "" if status == OK else remedy)


def _on_linux():
    return sys.platform.startswith("linux")


# --- Rows: what was found, its status, and the remedy where it is not the row's usual one -------


def _system(here):
    return platform.platform(), OK


def _landlock(here):
    from coursekit.kernels import landlock

    try:
        return f"version {landlock.version()}", OK
    except OSError as problem:
        return problem.strerror, MISSING


def _seccomp(here):
    from coursekit.kernels import seccomp

    try:
        seccomp.Filter()
        library = f"libseccomp {_version_of(seccomp.library())}"
    except OSError as problem:
        return problem.strerror, MISSING
    # To load a filter from nowhere fails in any case; only a kernel that has filters looks for it.
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(seccomp.SET_SECCOMP, seccomp.MODE_FILTER, None)
    if ctypes.get_errno() != errno.EFAULT:
        remedy = "Use a Linux kernel built with CONFIG_SECCOMP_FILTER, as all common ones are"
        return f"{library}, but this Linux kernel loads no filters", MISSING, remedy
    return f"{library}; this Linux kernel loads filters", OK


def _version_of(libseccomp):
    libseccomp.seccomp_version.restype = ctypes.POINTER(ctypes.c_uint * 3)
    return ".".join(map(str, libseccomp.seccomp_version().contents))


def _sandbox(here):
    if not _on_linux():
        remedy = "Grade on a Linux machine, in WSL or in a virtual machine"
        return "student code runs in a sandbox, which needs Linux", MISSING, remedy
    from coursekit.grading.selftest import check_sandbox
    from coursekit.kernels.launcher import SandboxError

    try:
        check_sandbox(here.config)
    except SandboxError as problem:
        return "student code cannot be run in it", MISSING, str(problem)
    return "starts, and keeps the course out of student code's reach", OK


def _user(here):
    from coursekit.kernels import users
    from coursekit.kernels.readable import interpreter, readable_by_others

    if os.getuid():
        return f"ordinary user, number {os.getuid()}", OK
    if not users.can_be_changed():
        return "root of a container that may not change users: kernels keep root's name", OK
    closed = [path for path in interpreter() if not readable_by_others([path])]
    if closed:
        found = f"root, and other users cannot read {closed[0]}: kernels keep root's name"
        return f"{found}, without its rights", NOTE
    last = policy.FIRST_UID + policy.UIDS - 1
    return f"root; kernels run as throw-away users, numbers {policy.FIRST_UID} to {last}", OK


def _python(here):
    enough = sys.version_info >= OLDEST_PYTHON
    return f"{platform.python_version()}, {sys.executable}", OK if enough else MISSING


def _packages(here):
    from packaging.requirements import Requirement

    requirements = [Requirement(text) for text in metadata.requires(DISTRIBUTION) or ()]
    needed = [
        requirement
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    ]
    problems = [problem for problem in map(_problem_with, needed) if problem]
    if problems:
        return ", ".join(problems), MISSING
    return f"{len(needed)} of {len(needed)} in range", OK


def _problem_with(requirement):
    version = _installed(requirement.name)
    if version is None:
        return f"{requirement.name} is not installed"
    if not requirement.specifier.contains(version, prereleases=True):
        return f"{requirement.name} {version} is not {requirement.specifier}"
    return ""


def _installed(name):
    """Give the version of an installed distribution, or None."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(name)


def _students_packages(here):
    from coursekit.kernels.provisioner import SandboxProvisioner

    asked = SandboxProvisioner(config=here.config).packages
    there = ", ".join(filter(_installed, dict.fromkeys([*policy.PACKAGES, *asked])))
    absent = [name for name in asked if not _installed(name)]
    if absent:
        remedy = f"The course asks for more; run: python -m pip install {' '.join(absent)}"
        return f"{there}; not installed: {', '.join(absent)}", NOTE, remedy
    return there, OK


def _fonts(here):
    from matplotlib import font_manager

    try:
        font_manager.findfont("DejaVu Sans", fallback_to_default=False)
    except ValueError:
        remedy = "Run: python -m pip install --force-reinstall matplotlib"
        return "DejaVu Sans, the font of all figures, is missing", MISSING, remedy
    if not any(map(_draws_cjk, font_manager.findSystemFonts())):
        return "DejaVu Sans; none for Chinese, Japanese and Korean", NOTE
    return "DejaVu Sans, and one for Chinese, Japanese and Korean", OK


def _draws_cjk(path):
    from matplotlib.ft2font import FT2Font

    with suppress(OSError, RuntimeError):  # fonts that matplotlib cannot use
        return bool(FT2Font(path).get_char_index(ord(CJK)))


def _browser(here):
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return (found, OK) if found else (f"none of {', '.join(BROWSERS)}", NOTE)


def _disk(here):
    folders = dict.fromkeys([tempfile.gettempdir(), str(here.folder)])
    free = {folder: shutil.disk_usage(folder).free for folder in folders}
    found = ", ".join(f"{size / policy.GIB:.1f} GiB free in {path}" for path, size in free.items())
    least = min(free.values())
    return found, next((status for limit, status in LOW_SPACE if least < limit), OK)


def _cores(here):
    cores = os.cpu_count() or 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    return f"{cores}, of which this process may use {usable}", OK


def _course(here):
    if here.problem:
        return "cannot be used", MISSING, here.problem
    return (str(here.course.root), OK) if here.course else (f"none in {here.folder}", NOTE)


ROWS = {  # what: (its row, its usual remedy)
    "System": (_system, ""),
    "Landlock": (
        _landlock,
        "Use Linux 5.13 or newer with landlock in its list of security modules (kernel option "
        "lsm=landlock,...), and a container that allows its system calls",
    ),
    "seccomp": (_seccomp, "On Debian or Ubuntu: apt install libseccomp2"),
    "Sandbox": (_sandbox, ""),
    "User": (
        _user,
        "Safer: remove .venv and make it with a Python that others can read, in a folder that they "
        "can read: make PYTHON=/usr/bin/python3 demo",
    ),
    "Python": (
        _python,
        f"Install Python {'.'.join(map(str, OLDEST_PYTHON))} or newer and make .venv with it: "
        "make clean; make PYTHON=/path/to/python3 demo",
    ),
    "Packages": (_packages, INSTALL),
    "For students": (_students_packages, ""),
    "Fonts": (
        _fonts,
        "For names and texts in these, on Debian or Ubuntu: apt install fonts-noto-cjk",
    ),
    "Browser": (
        _browser,
        "Only the tests in a browser need one; on Debian or Ubuntu: apt install chromium",
    ),
    "Disk": (_disk, "Free some space, or set TMPDIR to a folder that has more"),
    "Cores": (_cores, ""),
    "Course": (_course, "To look at one too: coursekit doctor --course DIR"),
}
ONLY_ON_LINUX = {"Landlock", "seccomp", "User", "For students"}  # elsewhere is no sandbox
