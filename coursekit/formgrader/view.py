"""What nbgrader's formgrader shows of a graded notebook: the scan beside it, guides, no scripts."""

from importlib.resources import files
from pathlib import Path

from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.coursedir import CourseDirectory
from traitlets import Bool

from coursekit.formgrader.cleaning import clean_outputs, is_formgrader
from coursekit.formgrader.guides import is_graded_by_hand, read_guides
from coursekit.grading.scan import PAGE, is_scan, shown_pages
from coursekit.judging.verdict import METADATA_KEY, read_verdict
from nnlab.handing_in.cells import scan_pages

GUIDE = "guide"  # in the metadata of a cell, under the kit's key
HEAD = "head"
MATHJAX = "/static/jupyter_server_mathjax/MathJax.js?config=TeX-AMS-MML_HTMLorMML-full,Safe"
# The fonts that jupyter_server_mathjax brings along. When MathJax has started, nbgrader selects the
# text of the field in use, so that the next key replaces it: hence it does not start by setting the
# formulas, seconds in which somebody may type; nbconvert's template has them set after the start.
SETTINGS = """{
  skipStartupTypeset: true,
  "HTML-CSS": {availableFonts: [], preferredFont: null, webFont: "STIX-Web"}
}"""


class FormgraderView(Preprocessor):
    """Prepare a graded notebook for whoever grades by hand; the file stays as it is."""

    enabled = Bool(True).tag(config=True)

    def preprocess(self, nb, resources):
        """Add the marking guides, put the scan aside, and take out what could run."""
        if not is_formgrader(resources):
            return nb, resources
        guides = self._guides(resources)
        pages = {number for cell in nb.cells if is_scan(cell) for number in shown_pages(cell)}
        cells = [_head(resources["base_url"])]
        for cell in nb.cells:
            if is_scan(cell):
                cell.source = f'<div class="coursekit-scan">\n\n{cell.source}\n\n</div>'
            elif cell.cell_type == "code":
                _leave_out_points(cell)
                clean_outputs(cell)
            if is_graded_by_hand(cell):
                cells += _guide(cell, guides, pages)
            cells.append(cell)
        nb.cells = cells
        return nb, resources

    def _guides(self, resources):
        directory = CourseDirectory(config=self.config)
        source = directory.source_directory, ".", resources["assignment_id"]
        return read_guides(
            Path(directory.format_path(*source)) / f"{resources['notebook_id']}.ipynb"
        )


def _leave_out_points(cell):
    """Take the number under a verdict away: the cell's head has it, and lets it be changed."""
    if read_verdict(cell) is not None:
        cell.outputs = [output for output in cell.outputs if output.output_type == "stream"]


def _head(base_url):
    """Write a cell with the styles, and with MathJax of this machine where there is no network."""
    css = files(__package__).joinpath("view.css").read_text(encoding="utf-8")
    # nbgrader's template asks the network for MathJax before the browser comes to this cell.
    load = f"window.MathJax || document.write('<script src=\"{base_url}{MATHJAX}\"><\\/script>')"
    settings = f'<script type="text/x-mathjax-config">MathJax.Hub.Config({SETTINGS})</script>'
    source = f"<style>\n{css}</style>\n\n{settings}\n\n<script>{load}</script>"
    return new_markdown_cell(source, metadata={METADATA_KEY: HEAD})


def _guide(cell, guides, pages):
    """Write the cell above an answer: its marking guide, and where in the scan it stands."""
    parts = []
    if (name := cell.metadata.nbgrader.grade_id) in guides:
        parts.append(
            f"<details open><summary>Marking guide</summary>\n\n{guides[name]}\n\n</details>"
        )
    links = [
        f"[{PAGE.format(number)}](#{PAGE.format(number).replace(' ', '-')})"
        for number in dict.fromkeys(scan_pages(NotebookNode(cells=[cell])))
        if number in pages
    ]
    if links:
        parts.append(f"The answer stands in the scan: {', '.join(links)}")
    if not parts:
        return []
    text = "\n\n".join(parts)
    source = f'<div class="coursekit-guide">\n\n{text}\n\n</div>'
    return [new_markdown_cell(source, metadata={METADATA_KEY: GUIDE})]
