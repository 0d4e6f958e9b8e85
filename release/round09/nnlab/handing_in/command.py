"""``python -m nnlab hand-in``: `hand_in` in a terminal."""

import sys
from pathlib import Path

from nnlab.handing_in import HandInError, as_paths


def add_hand_in(commands) -> None:
    """Add the command to a program.

    Parameters
    ----------
    commands : argparse's subparsers
    """
    parser = commands.add_parser(
        "hand-in",
        usage="%(prog)s [FOLDER] [--name NAME] [--student-number NUMBER] "
        "[--scan FILE ...] [--anyway]",
        help="check the notebooks and make the files to upload in MyCourses",
        description="Check the notebooks, and write one PDF with your scan, copies of the "
        "notebooks and a zip of all into the folder hand_in.",
    )
    parser.add_argument(
        "folder",
        metavar="FOLDER",
        nargs="?",
        default=Path("."),
        type=Path,
        help="where the notebooks are; this folder by default",
    )
    parser.add_argument("--name", default="", help="your name; asked for if missing")
    parser.add_argument("--student-number", default="", help="asked for if missing")
    parser.add_argument(
        "--scan",
        nargs="+",
        action="extend",
        metavar="FILE",
        help="scan of Exercise 1: a PDF or photos in the order of the pages, or a folder of them",
    )
    parser.add_argument(
        "--anyway", action="store_true", help="do not ask, whatever is missing; for scripts"
    )
    parser.set_defaults(run=_run)


def _run(options) -> int:
    from nnlab.handing_in.steps import Request, run

    for stream in (sys.stdout, sys.stderr):  # a terminal of Windows may lack a letter
        stream.reconfigure(errors="replace")
    ask = input if sys.stdin.isatty() else None
    scan = as_paths(options.scan) if options.scan else None
    request = Request(
        options.folder, options.name, options.student_number, scan, options.anyway, ask
    )
    try:
        return 0 if run(request) else 1
    except HandInError as problem:
        print(problem, file=sys.stderr)
    except (KeyboardInterrupt, EOFError):
        print("\nStopped; run this again when you are ready.", file=sys.stderr)
    return 1
