"""Which files of the Python installation student code may read: named one by one.

Neither ``sys.path`` nor a whole ``site-packages`` is among them, for the course's own code and
the course itself may lie there.
"""

import os
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from coursekit.kernels import policy

NOT_OF_THE_LIBRARY = {"site-packages", "dist-packages", "__pycache__"}


def hidden_modules(read):
    """Name the installed modules that must not be read, so that importing them says so.

    Parameters
    ----------
    read : list of str
        As `readable` gives it.

    Returns
    -------
    set of str
    """
    sites = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    entries = {entry.path: entry.name for site in sites for entry in os.scandir(site)}
    names = {path: name.partition(".")[0] for path, name in entries.items()}
    shown = {names[path] for path in read if path in names}
    return set(names.values()) - shown


def readable(packages, others=()):
    """List what is granted beside the work folder.

    Parameters
    ----------
    packages : iterable of str
        Distributions that may be imported, each with all that it requires.
    others : iterable of str
        Folders and files of the course.

    Returns
    -------
    read : list of str
        Folders, with all that lies in them, and files to be read.
    listed : list of str
        Folders in which names may be listed, so that Python finds what it may import.
    """
    libraries = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    sites = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    read = [*policy.READABLE, *others, *_standard_library(libraries), *_shared_libraries()]
    read += _files_of(_with_requirements(packages))
    return _without_what_lies_below(read), sorted(libraries | sites)


def readable_by_others(paths):
    """Tell whether every user of the machine can reach and read all of some paths.

    Parameters
    ----------
    paths : iterable of str

    Returns
    -------
    bool
    """
    return all(_readable_by_others(Path(path)) for path in paths if os.path.exists(path))


def interpreter():
    """Name the places that a kernel's Python comes from.

    Returns
    -------
    list of str
    """
    return [
        os.path.realpath(sys.executable),
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    ]


def _readable_by_others(path):
    path = path.resolve()
    return bool(path.stat().st_mode & 0o004) and all(
        parent.stat().st_mode & 0o001 for parent in path.parents
    )


def _standard_library(folders):
    return [
        entry.path
        for folder in sorted(folders)
        for entry in os.scandir(folder)
        if entry.name not in NOT_OF_THE_LIBRARY
    ]


def _shared_libraries():
    """List the shared libraries beside the interpreter, which packages of conda load late."""
    return [str(path) for path in Path(sys.base_prefix, "lib").glob("*.so*")]


def _without_what_lies_below(paths):
    """Leave out what is granted with one of its folders already."""
    real = {path: os.path.realpath(path) for path in paths}
    tops = set(real.values())
    return [
        path
        for path in dict.fromkeys(paths)
        if not tops & {str(parent) for parent in Path(real[path]).parents}
    ]


def _with_requirements(names):
    """Return the installed distributions of these names and of all that they require."""
    found, left = {}, list(names)
    while left:
        name = left.pop()
        if name in found:
            continue
        try:
            found[name] = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        requirements = [Requirement(text) for text in found[name].requires or ()]
        left += [
            requirement.name
            for requirement in requirements
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        ]
    return found.values()


def _files_of(distributions):
    """List the top folders and files of distributions, those of an editable one left out."""
    tops = set()
    for distribution in distributions:
        root = Path(distribution.locate_file(""))
        for file in distribution.files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__"):
                tops.add(str(root / top))
    return sorted(tops)
