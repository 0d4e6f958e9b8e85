"""The nbgrader preprocessor that shows a student's scan beside the written answers."""

import base64
import re
from pathlib import Path
from textwrap import fill

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import List, Unicode

from coursekit.grading.execute import BoundedExecute
from coursekit.grading.mending import HANGING
from coursekit.grading.reading import new_id
from coursekit.grading.scan_files import find_candidates
from coursekit.judging.verdict import METADATA_KEY
from nnlab.handing_in.cells import scan_pages

SCAN = "scan"  # in the metadata of the cell, under the kit's key
CELL_ID = "coursekit-scan"
PAGE = "Scan page {}"
PICTURE = re.compile(r"scan-(\d+)\.jpg")


class ShowScan(NbGraderPreprocessor):
    """Put the pages of the scan into a cell of the graded notebook, above the written answers.

    The cell is made after the execution and is no part of the grading; only whoever grades by
    hand sees it. Beside a scan, and beside what may be one and cannot be shown, no answer counts
    as blank: it may stand there. Where nothing was handed in that could be a scan, nothing is done.
    """

    notebooks = List(Unicode(), help="Those whose answers may stand in the scan.").tag(config=True)

    def preprocess(self, nb, resources):
        """Show the scan in one notebook."""
        names = resources["nbgrader"]
        if names["notebook"] not in self.notebooks:
            return nb, resources
        cell, may_be_scan = self._cell(names, scan_pages(nb))
        if cell is None:
            return nb, resources
        cell.id = new_id(CELL_ID, {other.get("id") for other in nb.cells})
        written = [place for place, other in enumerate(nb.cells) if _is_written(other)]
        if may_be_scan:
            for place in written:
                # Without it nbgrader takes no answer for blank, and has a person look.
                nb.cells[place].metadata.nbgrader.pop("checksum", None)
        nb.cells.insert(written[0] if written else 0, cell)
        return nb, resources

    def _cell(self, names, pointed_to):
        directory = CourseDirectory(config=self.config)
        where = directory.submitted_directory, names["student"], names["assignment"]
        source = directory.format_path(directory.source_directory, ".", names["assignment"])
        notebooks = {path.stem for path in Path(source).glob("*.ipynb")}
        found = find_candidates(Path(directory.format_path(*where)), notebooks)
        told, pages, notebooks_only = list(found.problems), [], set()
        if found.files:
            # PDFium's part of the kit costs time to import, and most notebooks have no scan.
            from coursekit.grading.scan_process import draw_scan

            sandboxed = not BoundedExecute(config=self.config).unsafe_no_sandbox
            drawn = draw_scan(found.files, sandboxed)
            pages, notebooks_only = drawn.pages, drawn.notebooks_only
            told += drawn.problems
            told += [
                f"{file.name}: {'shown' if number in drawn.used else 'not shown'}."
                for number, file in enumerate(found.files)
                if not any(problem.startswith(f"{file.name}: ") for problem in told)
            ]
        shown = {page.number for page in pages}
        if absent := sorted(set(pointed_to) - shown):
            numbers = ", ".join(map(str, absent[:10]))
            told.append(f"The answers name scan page {numbers}, which is not here.")
        may_be_scan = bool(found.problems) or len(notebooks_only) < len(found.files)
        return (_scan_cell(pages, told) if pages or told else None), may_be_scan


def is_scan(cell: NotebookNode) -> bool:
    """Tell whether a cell of a graded notebook is the one that shows the scan.

    Students' own metadata do not get that far: `MendCells` takes them away before.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    bool
    """
    return cell.metadata.get(METADATA_KEY) == SCAN


def shown_pages(cell: NotebookNode) -> list[int]:
    """List the numbers of the pages that such a cell shows.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    list of int
    """
    names = map(PICTURE.fullmatch, cell.get("attachments", {}))
    return [int(name[1]) for name in names if name]


class LeaveOutScan(NbGraderPreprocessor):
    """Take the scan out of the feedback: the student has it, and it is large."""

    def preprocess(self, nb, resources):
        """Take it out of one notebook."""
        nb.cells = [cell for cell in nb.cells if not is_scan(cell)]
        return nb, resources


def _is_written(cell):
    """Tell whether a cell is an answer that is graded by hand."""
    role = cell.metadata.get("nbgrader", {})
    return role.get("grade") and role.get("solution")


def _scan_cell(pages, told):
    """Write the cell; names of files, which students choose, stand between fences."""
    parts = [f"**Scan: {len(pages)} page{'s' * (len(pages) != 1)}**"]
    if told:
        lines = (fill(sentence, 88, initial_indent="- ", **HANGING) for sentence in told)
        parts.append("~~~text\n" + "\n".join(lines) + "\n~~~")
    attachments = {}
    for page in pages:
        name, title = f"scan-{page.number}.jpg", PAGE.format(page.number)
        parts.append(f"##### {title}\n\n![{title}](attachment:{name})")
        attachments[name] = {"image/jpeg": base64.b64encode(page.jpeg).decode()}
    cell = new_markdown_cell("\n\n".join(parts), metadata={METADATA_KEY: SCAN})
    if attachments:
        cell.attachments = attachments
    return cell
