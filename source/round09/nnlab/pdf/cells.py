"""Cells of a notebook as nodes for template.typ."""

from nnlab.pdf.errors import CannotShow
from nnlab.pdf.lines import SMALL_COLUMNS, cut, highlighted, printed, wrap
from nnlab.pdf.markdown import from_markdown
from nnlab.pdf.outputs import from_outputs, joined
from nnlab.pdf.page import Page

LONGEST_COLOURED = 200_000
MOST_LINES = 5_000


def from_notebook(notebook: dict, page: Page) -> list[list]:
    """Set a notebook.

    Parameters
    ----------
    notebook : NotebookNode
        As nbformat reads it; damaged parts end in boxes.
    page : Page
        Where it is set.

    Returns
    -------
    list of list
        The block nodes of each cell.
    """
    language = _language(notebook)
    cells = []
    given = notebook.get("cells")
    for number, cell in enumerate(given if isinstance(given, list) else [given], 1):
        page.cell = number
        source = joined(cell.get("source")) if isinstance(cell, dict) else str(cell)
        try:
            cells.append(_cell(cell, source, page, language))
        except CannotShow as problem:
            cells.append(_as_written(problem, source, page))
        except RecursionError:
            cells.append(_as_written("it is nested too deeply", source, page))
        except Exception as problem:  # Whatever a cell holds, its source and the others are set.
            reason = f"it cannot be read ({type(problem).__name__})"
            cells.append(_as_written(reason, source, page))
    return cells


def _language(notebook: dict) -> str:
    metadata = notebook.get("metadata")
    about = metadata.get("language_info") if isinstance(metadata, dict) else None
    about = about if isinstance(about, dict) else {}
    language = str(about.get("pygments_lexer") or about.get("name") or "python")
    return "ipython3" if "python" in language else language


def _cell(cell: dict, source: str, page: Page, language: str) -> list:
    kind = cell.get("cell_type")
    page.attachments = cell.get("attachments") or {}
    if kind == "code":
        return _code(cell, source, page, language)
    if kind == "raw":
        return _lines("raw", wrap(printed(source)), page)
    if kind != "markdown":
        return [page.box("Cell", f"its type, {kind!r}, is not known", source)]
    return from_markdown(source, page)


def _as_written(reason: object, source: str, page: Page) -> list:
    note = page.box("Cell", reason, "It follows as it is written.")
    return [note, *_lines("raw", wrap(printed(source)), page)]


def _code(cell: dict, source: str, page: Page, language: str) -> list:
    # Tests that students only read are set smaller than what they wrote.
    small = bool(cell.get("metadata", {}).get("nbgrader", {}).get("locked"))
    nodes = []
    if source.strip():
        if len(source) > LONGEST_COLOURED:
            lines = [[line] for line in source.split("\n")]
        else:
            lines = highlighted(source, language)
        rows = wrap(lines, SMALL_COLUMNS) if small else wrap(lines)
        count = cell.get("execution_count")
        nodes = _lines("source", rows, page, "" if count is None else str(count)[:6], small)
    return [["cell", nodes, from_outputs(cell.get("outputs") or [], page)]]


def _lines(kind: str, lines: list, page: Page, *more: object) -> list:
    if sum(map(len, lines)) <= MOST_LINES:
        return [[kind, lines, *more]]
    head, tail, missing = cut([[row] for line in lines for row in line], MOST_LINES)
    note = page.box("Cell", f"{missing} of its lines are left out", "…")
    return [[kind, head, *more], note, [kind, tail, *more]]
