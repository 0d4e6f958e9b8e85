"""Outputs of code cells: printed text, errors, figures, tables."""

import re

from nnlab.pdf.errors import CannotShow
from nnlab.pdf.htmltext import from_html
from nnlab.pdf.images import from_base64, picture
from nnlab.pdf.lines import cut, printed, wrap
from nnlab.pdf.markdown import formula_node, from_markdown
from nnlab.pdf.page import Page

MOST_LINES = 150
MOST_CHARACTERS = 400_000
MOST_TABLE_ROWS = 200
MOST_TABLE_COLUMNS = 24
MOST_OUTPUTS = 300
BARE_REPR = re.compile(r"<[^<>]*\b(object|at 0x[0-9a-fA-F]+)[^<>]*>")
# The forms of an output, the most faithful first; the first one that can be shown is shown.
FORMS = ("image/svg+xml", "image/png", "image/jpeg", "image/gif", "text/html", "text/latex",
         "text/markdown", "text/plain")  # fmt: skip


def from_outputs(outputs: list, page: Page) -> list:
    """Set the outputs of one cell.

    Parameters
    ----------
    outputs : list of dict
        As nbformat reads them.
    page : Page
        The notebook that they stand in.

    Returns
    -------
    list
        Block nodes for template.typ.
    """
    nodes: list = []
    outputs, rest, missing = cut(_streams_joined(outputs), MOST_OUTPUTS)
    for output in outputs + rest:
        if missing and rest and output is rest[0]:
            nodes.append(page.box("Output", f"{missing} outputs are left out", "…"))
        try:
            nodes.extend(_output(output, page))
        except (CannotShow, RecursionError) as problem:
            nodes.append(page.box("Output", problem, joined(output)))
        except Exception as problem:  # Whatever an output holds, the others are shown.
            reason = f"it cannot be read ({type(problem).__name__})"
            nodes.append(page.box("Output", reason, joined(output)))
    return nodes


def joined(value: object) -> str:
    """Text that nbformat may keep as a list of lines."""
    if isinstance(value, list | tuple):
        return "".join(map(str, value))
    return "" if value is None else str(value)


def _streams_joined(outputs: list) -> list:
    """Make one text again of what was printed in pieces."""
    result: list = []
    for output in outputs:
        last = result[-1] if result else None
        if (
            isinstance(output, dict)
            and isinstance(last, dict)
            and output.get("output_type") == last.get("output_type") == "stream"
            and output.get("name") == last.get("name")
        ):
            last["text"].append(joined(output.get("text")))
        elif isinstance(output, dict) and output.get("output_type") == "stream":
            result.append({**output, "text": [joined(output.get("text"))]})
        else:
            result.append(output)
    return result


def _output(output: dict, page: Page) -> list:
    kind = output.get("output_type")
    if kind == "stream":
        style = "error-stream" if output.get("name") == "stderr" else "stream"
        return _printed(joined(output.get("text")), style)
    if kind == "error":
        trace = "\n".join(map(str, output.get("traceback") or ()))
        return _printed(trace or f"{output.get('ename')}: {output.get('evalue')}", "traceback")
    if kind in ("display_data", "execute_result"):
        return _display(output.get("data") or {}, output.get("metadata") or {}, page)
    return [page.box("Output", f"its kind, {kind!r}, is not known", joined(output))]


def _printed(text: str, style: str) -> list:
    notes = []
    if len(text) > MOST_CHARACTERS:
        notes.append(f"{len(text) - MOST_CHARACTERS} characters")
        text = text[: MOST_CHARACTERS // 2] + "\n" + text[-MOST_CHARACTERS // 2 :]
    lines = wrap(printed(text))
    if not any(row for line in lines for row in line):
        return []
    if sum(map(len, lines)) > MOST_LINES:
        lines = [[row] for line in lines for row in line]  # What is limited is paper.
    head, tail, missing = cut(lines, MOST_LINES)
    if missing:
        notes.append(f"{missing} lines")
    note = f"{' and '.join(notes)} are left out here" if notes else ""
    return [["output", style, head, note, tail]]


def _display(data: dict, metadata: dict, page: Page) -> list:
    problems = []
    for mime in FORMS:
        if mime in data:
            try:
                nodes = _form(mime, data, metadata, page)
            except CannotShow as problem:
                problems.append((mime, problem))
                continue
            if nodes is not None:
                return nodes
    if problems:
        mime, problem = problems[0]
        return [page.box(f"Output of kind {mime}", problem, joined(data[mime]))]
    kinds = ", ".join(map(str, data)) or "nothing"
    return [page.box("Output", f"it only comes as {kinds}", joined(next(iter(data.values()), "")))]


def _form(mime: str, data: dict, metadata: dict, page: Page) -> list | None:
    """Blocks for one form of an output; None if another form serves better."""
    content = joined(data[mime])
    if mime.startswith("image/"):
        raw = content.encode("utf-8", "replace") if "svg" in mime else from_base64(content)
        size = metadata.get(mime)
        width = size.get("width") if isinstance(size, dict) else None
        width = 0.75 * width if isinstance(width, int | float) and 0 < width < 10_000 else None
        alt = f"Figure: output of cell {page.cell}"
        return [["figure", picture(raw, mime, alt, page, width=width)]]
    if mime == "text/html":
        return _html(content, joined(data.get("text/plain")), page)
    if mime == "text/latex":
        return [formula_node(content.strip().strip("$").strip(), True, page)]
    if mime == "text/markdown":
        return from_markdown(content, page)
    return _printed(content, "result")


def _html(content: str, plain: str, page: Page) -> list | None:
    """Tables are set; other HTML only where its plain text says nothing."""
    useful = "<table" in content.lower() or not plain or BARE_REPR.fullmatch(plain.strip())
    if len(content) > MOST_CHARACTERS or not useful:
        return None
    nodes = from_html(content, page, lambda text: [text])
    for node in nodes:
        if node[0] == "table":
            if plain and len(node[1]) > MOST_TABLE_COLUMNS:
                return None
            head, tail, missing = cut(node[3], MOST_TABLE_ROWS)
            if missing:
                gap = [[["par", [f"{missing} rows are left out here"]]]]
                node[3] = [*head, gap + [[]] * (len(node[1]) - 1), *tail]
    return nodes or None
