"""The steps of a hand-in, from the check of the notebooks to the files for MyCourses."""

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nnlab.handing_in import folder as output
from nnlab.handing_in.cells import scan_pages
from nnlab.handing_in.document import count_pages, export_notebooks, merge
from nnlab.handing_in.notebooks import Notebook, choose, read_notebooks
from nnlab.handing_in.pages import Size
from nnlab.handing_in.released import COURSE, ROUND, TITLE
from nnlab.handing_in.scan import Scan, read_scan
from nnlab.handing_in.session import save_notebook, unsaved
from nnlab.handing_in.student import Student, clean_name, clean_number, identify, remember
from nnlab.handing_in.trouble import MEGABYTE, HandInError, in_words

LIMIT = 20 * MEGABYTE  # of an upload to MyCourses
SIZES = (Size(2000, 80), Size(1500, 65), Size(1100, 50))  # the first that fits is taken


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes
    ----------
    folder : Path
        Of the notebooks.
    name, number : str
        May be empty.
    scan : tuple of Path or None
    anyway : bool
        Go on whatever is missing.
    ask : callable or None
        Takes a question and returns the answer; None if nobody may be asked.
    """

    folder: Path
    name: str = ""
    number: str = ""
    scan: tuple[Path, ...] | None = None
    anyway: bool = False
    ask: Callable[[str], str] | None = None


def run(request: Request) -> bool:
    """Check the notebooks, ask, and write the files.

    Parameters
    ----------
    request : Request

    Returns
    -------
    bool
        Whether the files were written.

    Raises
    ------
    HandInError
        If there is nothing to hand in or nobody to do it, or it cannot be written.
    """
    name = clean_name(request.name)
    number = clean_number(request.number) if request.number else ""
    save_notebook(request.folder)
    notebooks, found = _check_notebooks(request.folder)
    scan = _check_scan(request, notebooks)
    found += scan.found
    _tell_found(notebooks, scan, found)
    if found and not request.anyway and not _agreed(request.ask):
        return False
    student = identify(name, number, request.folder, request.ask)
    print("\nMaking the PDF ...")
    files, told = _files(notebooks, scan, student)
    kept, others = output.write(request.folder, files)
    remember(request.folder, student)
    _tell_written(student, files, scan, told, kept, others)
    return True


def _check_notebooks(folder: Path) -> tuple[list[Notebook], list[str]]:
    everything = read_notebooks(folder)
    notebooks, found = choose(everything)
    if not notebooks:
        raise HandInError(
            f"{folder.resolve()}: none of the round's notebooks is here; start hand_in() in the "
            "folder where they are."
        )
    if unsaved(run for item in everything for run in item.runs):
        found.insert(
            0, "This notebook is not saved: press Ctrl-S (on a Mac Cmd-S) and run this cell again"
        )
    return notebooks, found


def _check_scan(request: Request, notebooks: list[Notebook]) -> Scan:
    """Read the scan, and compare it with the pages that the answers point to."""
    try:
        scan = read_scan(request.folder, request.scan, SIZES[0])
    except ImportError as problem:
        remedy = "run “python -m pip install -r requirements.txt” and restart the kernel"
        return Scan((), 0, b"", (f"scan: it cannot be read: {problem}; {remedy}",))
    last = max(
        (page for item in notebooks if item.node for page in scan_pages(item.node)), default=0
    )
    if last <= scan.pages:
        return scan
    has = f"the scan has {_count(scan.pages, 'page')}" if scan.pages else "there is no scan"
    line = (
        f"scan: your answers name page {last}, but {has}; put scan.pdf beside the notebooks, or "
        "photos into a folder called scan"
    )
    return Scan(scan.files, scan.pages, scan.pdf, (*scan.found, line))


def _tell_found(notebooks: list[Notebook], scan: Scan, found: Iterable[str]) -> None:
    print("Found:")
    for item in notebooks:
        saved = datetime.fromtimestamp(item.saved)
        when = f"saved {saved:%Y-%m-%d %H:%M}" if saved.year > 1980 else "as it was unpacked"
        print(f"  {item.path.name:<28} {when}")
    print("  Others that are open have to be saved by you: Ctrl-S, on a Mac Cmd-S.")
    names = ", ".join(path.name for path in scan.files)
    print(f"  scan: {_count(scan.pages, 'page')}, from {names}" if names else "  no scan")
    if found:
        print("\nLook at this first:")
        for line in found:
            print(f"  - {line}")


def _agreed(ask: Callable[[str], str] | None) -> bool:
    if ask is None:
        raise HandInError(
            "Nothing was written, because of what is named above; to hand in all the same, add "
            "--anyway."
        )
    answer = ask("\nHand in anyway? [y/N] ").strip().lower()
    if answer in ("y", "yes"):
        return True
    print("Nothing was written. Run this again when you are ready.")
    return False


def _files(
    notebooks: list[Notebook], scan: Scan, student: Student
) -> tuple[dict[str, bytes], list[str]]:
    """Make all files, the zip last, with pictures as small as the limit wants."""
    now = datetime.now()
    exported = export_notebooks(
        notebooks,
        course=COURSE,
        round=TITLE,
        name=student.name,
        student_number=student.number,
        date=f"{now.day} {now:%B %Y}",
    )
    stem = f"{ROUND}_{student.number}"
    told = list(exported.told)
    copies = {f"{item.name}.ipynb": item.handed_in() for item in notebooks if item.data}
    for size in SIZES:
        pages = scan.pdf if size == SIZES[0] else scan.reduced(size)
        pdf = merge(exported.pdf, pages)
        files = {f"{stem}.pdf": pdf, **copies} if pdf else copies
        total = sum(map(len, files.values()))
        if total <= LIMIT:
            break
    else:
        told.append(
            f"The files have {in_words(total)} together, more than the {in_words(LIMIT)} that "
            "MyCourses takes: scan again with 150 dpi, or clear large outputs, and run this again."
        )
    return {**files, f"{stem}.zip": output.pack(files)}, told


def _tell_written(
    student: Student,
    files: dict[str, bytes],
    scan: Scan,
    told: Iterable[str],
    kept: Iterable[str],
    others: Iterable[str],
) -> None:
    who = f"{student.name}, {student.number}".lstrip(", ")
    print(f"\nMade for {who}, in the folder {output.NAME}:")
    print('(Is that not you? hand_in(name="...", student_number="...") corrects it.)')
    for name, data in files.items():
        note = "all of these in one file" if name.endswith(".zip") else ""
        if name.endswith(".pdf"):
            with contextlib.suppress(ImportError):  # that pypdf is missing has been said
                note = _count(count_pages(data), "page")
                note += f", the last {scan.pages} from your scan" if scan.pages else ", no scan"
        print(f"  {name:<24} {in_words(len(data)):>8}  {note}".rstrip())
    notes = list(told)
    notes += [f"You had changed a file there: it is now called {name}." for name in kept]
    if others := ", ".join(others):
        notes.append(f"Not of this hand-in, do not upload: {others}.")
    for note in notes:
        print(f"  - {note}")
    *single, archive = files
    print(
        f"\nNow upload them in MyCourses: {COURSE}, {TITLE}, “Add submission”.\n"
        f"  these files: {', '.join(single)}\n"
        f"  or, if it takes only one: {archive}\n"
        "Look at the PDF before you do. Nothing is handed in until you have uploaded it; you may\n"
        "run this again at any time."
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
