"""Have a student's scan drawn by a process that is locked in, and take nothing from it on trust."""

import base64
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from coursekit.grading.scan_files import Candidate
from coursekit.grading.wording import plain
from coursekit.kernels import folders, policy

PATIENCE = 60  # seconds
MOST_OUTPUT = 8 * policy.MIB
JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Page:
    """A page of the scan.

    Attributes
    ----------
    number : int
        From 1, as the answers name it.
    jpeg : bytes
        Made from what a student handed in: for a browser to show, and for nothing else to parse.
    """

    number: int
    jpeg: bytes = field(repr=False)


@dataclass
class Drawn:
    """A scan.

    Attributes
    ----------
    pages : list of Page
    used : set of int
        The files that the pages are of, as places in what was given.
    notebooks_only : set of int
        The files that hold printed notebooks, and no scan.
    problems : list of str
        A sentence for each thing that could not be drawn.
    """

    pages: list[Page] = field(default_factory=list)
    used: set[int] = field(default_factory=set)
    notebooks_only: set[int] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)


def draw_scan(files: Sequence[Candidate], sandboxed: bool = True) -> Drawn:
    """Draw a scan; what goes wrong costs pages and is told.

    Parameters
    ----------
    files : sequence of Candidate
        In the order of their pages.
    sandboxed : bool
        False where student code, too, runs with the user's rights.

    Returns
    -------
    Drawn
    """
    asked = "".join(
        json.dumps(
            {"number": number, "rank": file.rank, "data": base64.b64encode(file.data).decode()}
        )
        + "\n"
        for number, file in enumerate(files)
    )
    work = Path(tempfile.mkdtemp(prefix="ck-scan-"))
    try:
        with tempfile.TemporaryFile() as output:
            ended = _run(asked, output, work, sandboxed)
            output.seek(0)
            lines = output.read(MOST_OUTPUT).splitlines(keepends=True)
    finally:
        folders.remove(work)
    drawn, is_whole = Drawn(), False
    for line in lines:
        try:
            is_whole |= _take(json.loads(line), files, drawn)
        except (ValueError, KeyError, TypeError, IndexError, RecursionError):
            break  # it was killed while it wrote, or is not what it was
    if not is_whole:
        after = f"after page {drawn.pages[-1].number}" if drawn.pages else "before the first page"
        drawn.problems.append(f"The drawing of the scan ended {after}: {ended}.")
    return drawn


def _run(asked: str, output, work: Path, sandboxed: bool) -> str:
    """Run the process; returns why it may not have said all."""
    # The places where this process finds its modules, for it may be told them as no one else is.
    environment = policy.ONE_THREAD | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    options = [] if sandboxed else ["--limits-only"]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "coursekit.grading.scan_drawing", str(work), *options],
            input=asked.encode(),
            stdout=output,
            stderr=subprocess.DEVNULL,
            cwd=work,
            env=environment,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {PATIENCE} s"
    if done.returncode < 0:
        return "a file needs too much time or memory, or is damaged"
    return "a file is damaged or needs too much memory"


def _take(told: dict, files: Sequence[Candidate], drawn: Drawn) -> bool:
    """Take one line of the process; returns whether it is its last."""
    if "left_out" in told:
        if (count := int(told["left_out"])) > 0:
            drawn.problems.append(f"{count} more pages are not shown; open the file itself.")
        return True
    number = range(len(files))[told["file"]]
    if "problem" in told:
        drawn.problems.append(f"{files[number].name}: {plain(str(told['problem']))}.")
        if told.get("notebooks_only") is True:
            drawn.notebooks_only.add(number)
        return False
    jpeg = base64.b64decode(told["jpeg"], validate=True)
    if jpeg.startswith(JPEG):
        drawn.pages.append(Page(int(told["page"]), jpeg))
        drawn.used.add(number)
    return False
