"""Cells of a notebook, and their outputs, as nodes for template.typ."""

import re
from itertools import groupby

from nnlab.pdf.images import from_base64, picture
from nnlab.pdf.lines import COLUMNS, SMALL_COLUMNS, cut, highlighted, printed, wrap
from nnlab.pdf.markdown import formula_node, from_html, from_markdown
from nnlab.pdf.page import CannotShow, Page

MOST_LINES = 150
MOST_CHARACTERS = 400_000
MOST_TABLE_ROWS = 200
MOST_TABLE_COLUMNS = 24
MOST_OUTPUTS = 300
BARE_REPR = re.compile(r"<[^<>]*\b(object|at 0x[0-9a-fA-F]+)[^<>]*>")
# The forms of an output, the most faithful first; the first one that can be shown is shown.
FORMS = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "text/html", "text/latex",
         "text/markdown", "text/plain")  # fmt: skip


def from_notebook(notebook: dict, page: Page) -> list[tuple[str, list]]:
    """Set a notebook.

    Parameters
    ----------
    notebook : NotebookNode
        As nbformat reads it; damaged parts end in boxes.
    page : Page
        Where it is set.

    Returns
    -------
    list of (source, nodes)
        Each cell as it is written, and its block nodes.
    """
    about = _dict(_dict(notebook.get("metadata")).get("language_info"))
    language = str(about.get("pygments_lexer") or about.get("name") or "python")
    language = "ipython3" if "python" in language else language
    given = notebook.get("cells")
    cells = []
    for number, cell in enumerate(given if isinstance(given, list) else [given], 1):
        page.cell = number
        source = joined(cell.get("source")) if isinstance(cell, dict) else str(cell)
        try:
            nodes = _cell(cell, source, page, language)
        except Exception as problem:  # Whatever a cell holds, its source and the others are set.
            note = page.box("Cell", _reason(problem), "It follows as it is written.")
            nodes = [note, ["raw", wrap(printed(source))]]
        cells.append((source, nodes))
    return cells


def _dict(value: object) -> dict:
    return value if isinstance(value, dict) else {}


def joined(value: object) -> str:
    """Text that nbformat may keep as a list of lines."""
    if isinstance(value, list | tuple):
        return "".join(map(str, value))
    return "" if value is None else str(value)


def _reason(problem: Exception) -> str:
    if isinstance(problem, CannotShow):
        return str(problem)
    if isinstance(problem, RecursionError):
        return "it is nested too deeply"
    return f"it cannot be read ({type(problem).__name__})"


def _cell(cell: dict, source: str, page: Page, language: str) -> list:
    kind = cell.get("cell_type")
    page.attachments = cell.get("attachments") or {}
    if kind == "markdown":
        return from_markdown(source, page)
    if kind == "raw":
        return [["raw", wrap(printed(source))]]
    if kind != "code":
        return [page.box("Cell", f"its type, {kind!r}, is not known", source)]
    nodes = []
    if source.strip():
        # Tests that students only read are set smaller than what they wrote.
        small = bool(cell.get("metadata", {}).get("nbgrader", {}).get("locked"))
        rows = wrap(highlighted(source, language), SMALL_COLUMNS if small else COLUMNS)
        nodes = [["source", rows, joined(cell.get("execution_count"))[:6], small]]
    return [["cell", nodes, _outputs(cell.get("outputs") or [], page)]]


# Outputs ----------------------------------------------------------------------------------------


def _outputs(outputs: list, page: Page) -> list:
    nodes: list = []
    for stream, group in groupby(outputs, key=_stream):
        pieces = list(group)
        if stream:  # What was printed in pieces is one text again.
            text = "".join(joined(piece.get("text")) for piece in pieces)
            nodes += _printed(text, "error-stream" if stream == "stderr" else "stream")
            continue
        for output in pieces:
            try:
                nodes += _output(output, page)
            except Exception as problem:  # Whatever an output holds, the others are shown.
                nodes.append(page.box("Output", _reason(problem), joined(output)))
    head, tail, missing = cut(nodes, MOST_OUTPUTS)
    note = [page.box("Output", f"{missing} outputs are left out", "…")] if missing else []
    return head + note + tail


def _stream(output: object) -> str:
    """Where an output was printed; empty if it was not printed."""
    if _dict(output).get("output_type") != "stream":
        return ""
    return str(output.get("name") or "stdout")


def _output(output: dict, page: Page) -> list:
    kind = output.get("output_type")
    if kind == "error":
        trace = "\n".join(map(str, output.get("traceback") or ()))
        return _printed(trace or f"{output.get('ename')}: {output.get('evalue')}", "traceback")
    if kind not in ("display_data", "execute_result"):
        return [page.box("Output", f"its kind, {kind!r}, is not known", joined(output))]
    data = {mime: joined(content) for mime, content in (output.get("data") or {}).items()}
    problems = []
    for mime in filter(data.__contains__, FORMS):
        try:
            nodes = _form(mime, data, _dict(_dict(output.get("metadata")).get(mime)), page)
        except CannotShow as problem:
            problems.append((mime, problem))
            continue
        if nodes is not None:
            return nodes
    if problems:
        mime, problem = problems[0]
        return [page.box(f"Output of kind {mime}", problem, data[mime])]
    kinds = ", ".join(map(str, data)) or "nothing"
    return [page.box("Output", f"it only comes as {kinds}", next(iter(data.values()), ""))]


def _printed(text: str, style: str) -> list:
    if not text.strip():
        return []
    notes = []
    if len(text) > MOST_CHARACTERS:
        notes.append(f"{len(text) - MOST_CHARACTERS} characters")
        text = text[: MOST_CHARACTERS // 2] + "\n" + text[-MOST_CHARACTERS // 2 :]
    lines = wrap(printed(text))
    if sum(map(len, lines)) > MOST_LINES:
        lines = [[row] for line in lines for row in line]  # What is limited is paper.
    head, tail, missing = cut(lines, MOST_LINES)
    if missing:
        notes.append(f"{missing} lines")
    note = f"{' and '.join(notes)} are left out here" if notes else ""
    return [["output", style, head, note, tail]]


def _form(mime: str, data: dict[str, str], size: dict, page: Page) -> list | None:
    """Blocks for one form of an output; None if another form serves better."""
    content = data[mime]
    if mime.startswith("image/"):
        raw = content.encode("utf-8", "replace") if "svg" in mime else from_base64(content)
        width = size.get("width")
        width = 0.75 * width if isinstance(width, int | float) and 0 < width < 10_000 else None
        alt = f"Figure: output of cell {page.cell}"
        return [["figure", picture(raw, mime, alt, page, width=width)]]
    if mime == "text/html":
        return _html(content, data.get("text/plain", ""), page)
    if mime == "text/latex":
        return [formula_node(content.strip().strip("$").strip(), page, display=True)]
    if mime == "text/markdown":
        return from_markdown(content, page)
    return _printed(content, "result")


def _html(content: str, plain: str, page: Page) -> list | None:
    """Tables are set; other HTML only where its plain text says nothing."""
    useful = "<table" in content.lower() or not plain or BARE_REPR.fullmatch(plain.strip())
    if len(content) > MOST_CHARACTERS or not useful:
        return None
    nodes = from_html(content, page)
    for node in nodes:
        if node[0] == "table":
            if plain and len(node[1]) > MOST_TABLE_COLUMNS:
                return None
            head, tail, missing = cut(node[3], MOST_TABLE_ROWS)
            if missing:
                gap = [["par", [f"{missing} rows are left out here"]]]
                node[3] = [*head, [gap, *[[]] * (len(node[1]) - 1)], *tail]
    return nodes or None
