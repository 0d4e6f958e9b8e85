"""What is left to do in a notebook? Reads its cells and outputs, runs nothing."""

import re
from collections.abc import Iterator

from nnlab.handing_in.released import CELLS, OPTIONAL

HEADING = re.compile(r"^#{1,6}[ \t]+(.+)$", re.MULTILINE)
POINTS = re.compile(r"\s*\([^()]*points?\)\s*$")
CODE_STUB = re.compile(r"^\s*raise NotImplementedError\b", re.MULTILINE)
TEXT_STUB = re.compile(
    r"\*Your answer: text and LaTeX, or the words “scan, page n” with the page of your scan\.\*"
    r"|YOUR ANSWER HERE"
)
SCAN_PAGE = re.compile(
    r"\bscan\W{1,3}(?:pages?|pp?\.?)\W{0,3}(?:\d{1,3}\W{1,3})?(\d{1,3})"
    r"|\bpages?\W{1,3}(\d{1,3})\W+of\W+(?:the|my)\W+scan\b",
    re.IGNORECASE,
)
RESTART = "choose Kernel → Restart Kernel and Run All Cells"


def grade_id(cell) -> str | None:
    """Return the grade id of a cell, or None.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    str or None
    """
    settings = cell.metadata.get("nbgrader")
    name = settings.get("grade_id") if isinstance(settings, dict) else None
    return name if isinstance(name, str) else None


def scan_pages(notebook) -> list[int]:
    """List the pages of the scan that the written answers point to.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    list of int
    """
    answers = [cell for cell in notebook.cells if cell.cell_type == "markdown" and _is_answer(cell)]
    pages = [pair for cell in answers for pair in SCAN_PAGE.findall(cell.source)]
    return [int(first or second) for first, second in pages]


def left_to_do(name: str, notebook) -> list[str]:
    """List what is missing or looks wrong in one notebook.

    Parameters
    ----------
    name : str
        Of the notebook, as it was released.
    notebook : nbformat.NotebookNode
        As it was saved.

    Returns
    -------
    list of str
        One line a finding.
    """
    cells = list(_with_sections(notebook))
    answers = [(section, cell) for section, cell in cells if _is_answer(cell)]
    blank = [(section, cell) for section, cell in answers if _unanswered(cell)]
    found = _missing(name, notebook)
    if blank and len(blank) == len(answers):
        return ["nothing is answered yet", *found]
    return [*_unanswered_lines(blank), *_error_lines(cells), *_run_lines(cells), *found]


def _with_sections(notebook) -> Iterator[tuple[str, object]]:
    """Yield each cell with the heading that it stands under."""
    section = "top"
    for cell in notebook.cells:
        headings = HEADING.findall(cell.source) if cell.cell_type == "markdown" else []
        if headings and grade_id(cell) is None:
            title = POINTS.sub("", headings[-1]).strip()
            section = title if len(title) <= 60 else f"{title[:57]}..."
        yield section, cell


def _is_answer(cell) -> bool:
    name = grade_id(cell)
    return (
        name is not None and name not in OPTIONAL and bool(cell.metadata.nbgrader.get("solution"))
    )


def _unanswered(cell) -> bool:
    if cell.cell_type == "code":
        return not _has_code(cell) or bool(CODE_STUB.search(cell.source))
    return not TEXT_STUB.sub("", cell.source).strip()


def _has_code(cell) -> bool:
    lines = map(str.strip, cell.source.splitlines())
    return any(line and not line.startswith("#") for line in lines)


def _unanswered_lines(blank) -> list[str]:
    kinds = {"markdown": "no written answer", "code": "no code"}
    sections: dict[str, list[str]] = {}
    for section, cell in blank:
        words = sections.setdefault(section, [])
        kind = kinds.get(cell.cell_type, "no answer")
        if kind not in words:
            words.append(kind)
    return [f"{section}: {' and '.join(words)} yet" for section, words in sections.items()]


def _error_lines(cells) -> list[str]:
    lines = []
    for section, cell in cells:
        for output in cell.get("outputs", []):
            name = str(output.get("ename", "error"))
            # Cells that call an unanswered one fail with its error: that has been said.
            if output.get("output_type") == "error" and name != "NotImplementedError":
                failed = name == "CheckFailed"
                what = "a check is not satisfied" if failed else f"the output is an error ({name})"
                lines.append(f"{section}: {what}")
    return list(dict.fromkeys(lines))


def _run_lines(cells) -> list[str]:
    """Tell of cells that were never run or not from top to bottom; this call's own is running."""
    runs = [
        (section, cell.get("execution_count"))
        for section, cell in cells
        if cell.cell_type == "code" and _has_code(cell) and "hand_in(" not in cell.source
    ]
    never = [section for section, count in runs if count is None]
    if never:
        cells_were = "1 cell was" if len(never) == 1 else f"{len(never)} cells were"
        return [f"{cells_were} never run, the first under “{never[0]}”; {RESTART}"]
    for (_, before), (section, count) in zip(runs, runs[1:], strict=False):
        if count <= before:
            return [f"{section}: a cell was run before one above it; {RESTART}"]
    return []


def _missing(name: str, notebook) -> list[str]:
    present = [grade_id(cell) for cell in notebook.cells]
    missing = [cell for cell in CELLS[name] if cell not in present]
    twice = [cell for cell in CELLS[name] if present.count(cell) > 1]
    lines = []
    if missing:
        cells_are = "a cell is" if len(missing) == 1 else f"{len(missing)} cells are"
        lines.append(
            f"{cells_are} missing ({_shortened(missing)}); choose Edit → Undo Cell Operation, or "
            "copy your answers into a fresh copy of the notebook"
        )
    if twice:
        lines.append(f"there twice: {_shortened(twice)}; keep the one with your answer")
    return lines


def _shortened(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
