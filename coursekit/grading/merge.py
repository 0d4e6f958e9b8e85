"""Two versions of a notebook in one file: what git leaves where a merge met a conflict."""

import re

from nbformat import NotebookNode

from coursekit.grading.wording import NeedsPerson, listing

MARK = re.compile(
    rb"^(<<<<<<<|\|\|\|\|\|\|\||=======|>>>>>>>)(?:[ \t][^\r\n]*)?(?:\r?\n|\Z)", re.MULTILINE
)


def sides(data: bytes) -> tuple[bytes, bytes | None]:
    """Take a file with merge-conflict marks apart into the two versions that were merged.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    ours : bytes
        The whole file, if there are no marks.
    theirs : bytes or None
        None if there are no marks.
    """
    # No line of JSON can begin like this, for its strings hold no line breaks.
    if b"<<<<<<<" not in data:
        return data, None
    ours, theirs, here, start = [], [], b">", 0
    for mark in MARK.finditer(data):
        piece = data[start : mark.start()]
        if here in b"><":
            ours.append(piece)
        if here in b">=":
            theirs.append(piece)
        here, start = mark[1][:1], mark.end()
    if start == 0:
        return data, None
    return b"".join([*ours, data[start:]]), b"".join([*theirs, data[start:]])


def check_same(notebook: NotebookNode, other: NotebookNode):
    """Refuse two sides of a merge that differ in more than outputs.

    Parameters
    ----------
    notebook, other : nbformat.NotebookNode

    Raises
    ------
    NeedsPerson
        If their cells differ, with the names of those that do.
    """
    versions = [
        [(cell.cell_type, cell.source, _grade_id(cell)) for cell in side.cells]
        for side in (notebook, other)
    ]
    if versions[0] == versions[1]:
        return
    changed = [
        _grade_id(cell) or cell.id
        for side, rival in ((notebook, versions[1]), (other, versions[0]))
        for cell in side.cells
        if (cell.cell_type, cell.source, _grade_id(cell)) not in rival
    ]
    where = f", which differ in {listing(list(dict.fromkeys(changed)))}" if changed else ""
    raise NeedsPerson(f"The file holds an unfinished merge of two versions{where}.")


def _grade_id(cell: NotebookNode) -> str:
    settings = cell.metadata.get("nbgrader")
    return str(settings.get("grade_id", "")) if isinstance(settings, dict) else ""
