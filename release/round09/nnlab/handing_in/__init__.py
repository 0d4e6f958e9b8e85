"""Hand in: one PDF of the notebooks and the scan, and the files that MyCourses wants.

`hand_in` is called in a notebook's last cell; ``python -m nnlab hand-in`` does the same in a
terminal. Nothing here changes a notebook, and importing it loads nothing but the standard library.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from nnlab.handing_in.session import somebody_answers
from nnlab.handing_in.trouble import HandInError

__all__ = ["HandInError", "hand_in"]

NOBODY = "hand_in(): nobody is here to answer, so nothing was handed in."


def hand_in(
    name: str | None = None,
    student_number: str | None = None,
    scan: str | os.PathLike | Iterable[str | os.PathLike] | None = None,
    folder: str | os.PathLike = ".",
) -> None:
    """Check your notebooks and make the files to upload in MyCourses.

    It says what is missing and asks whether to go on. Then it writes a PDF of the notebooks with
    your scan behind them, copies of the notebooks and a zip of all into the folder ``hand_in``.
    Your own files stay as they are. You may run it as often as you like. Where nobody can answer,
    as when the notebook is graded, it does nothing.

    Parameters
    ----------
    name : str, optional
        Your name. You are asked for what is not given, and the answers are remembered in
        ``.hand_in.json`` beside the notebooks.
    student_number : str, optional
        Your student number, for example ``"1023456"``.
    scan : path or list of paths, optional
        Scan of Exercise 1: a PDF or photos (JPEG, PNG) in the order of the pages, or a folder of
        them. Without it, files beside the notebooks whose names begin with ``scan`` or
        ``exercise1``, or else those in a folder ``scan``, ``scans`` or ``photos``, in the order
        of their names (``page2`` before ``page10``).
    folder : path, optional
        Where the notebooks are.
    """
    if not somebody_answers():
        print(NOBODY)
        return
    from nnlab.handing_in.steps import Request, run

    try:
        paths = None if scan is None else as_paths(scan)
        run(Request(Path(folder), name or "", str(student_number or ""), paths, ask=input))
    except HandInError as problem:
        print(problem)
    except KeyboardInterrupt:
        print("\nStopped; run this again when you are ready.")
    except (EOFError, NotImplementedError):  # the frontend cannot ask, or its input is closed
        print(NOBODY)


def as_paths(scan: str | os.PathLike | Iterable[str | os.PathLike]) -> tuple[Path, ...]:
    """Turn one path or several into a tuple.

    Parameters
    ----------
    scan : path or iterable of paths

    Returns
    -------
    tuple of Path
    """
    several = [scan] if isinstance(scan, str | os.PathLike) else scan
    return tuple(Path(path).expanduser() for path in several)
