"""What the tests of the PDF exporter share."""

import io

import pypdfium2
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from pypdf import PdfReader

from nnlab.pdf import export


class Document:
    """An exported PDF, opened."""

    def __init__(self, exported):
        self.pdf = exported.pdf
        self.boxed = exported.boxed
        self.reader = PdfReader(io.BytesIO(exported.pdf))
        # Where a long word may be broken stands a space without width.
        self.pages = [p.extract_text().replace("\u200b", "") for p in self.reader.pages]
        self.text = "\n".join(self.pages)
        # As one line, however its paragraphs were broken
        self.flat = " ".join(self.text.split())

    def images(self, scale=1.0):
        """The pages as grey pictures."""
        document = pypdfium2.PdfDocument(self.pdf)
        return [page.render(scale=scale).to_pil().convert("L") for page in document]

    def outline(self):
        """The bookmarks: (level, title)."""
        found = []

        def walk(entries, level):
            for entry in entries:
                if isinstance(entry, list):
                    walk(entry, level + 1)
                else:
                    found.append((level, entry.title))

        walk(self.reader.outline, 1)
        return found

    def alternatives(self):
        """The alternative texts, in order."""
        found = []

        def walk(node):
            node = node.get_object()
            if isinstance(node, list):
                for child in node:
                    walk(child)
            elif isinstance(node, dict):
                if "/Alt" in node:
                    found.append(str(node["/Alt"]))
                if "/K" in node:
                    walk(node["/K"])

        walk(self.reader.trailer["/Root"]["/StructTreeRoot"])
        return found


@pytest.fixture
def document():
    """Export cells: Markdown as strings, others as cells."""

    def make(*cells, folder=None, name="notebook", **options):
        cells = [new_markdown_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        return Document(export([(name, new_notebook(cells=cells), folder)], **options))

    return make


@pytest.fixture
def printed():
    """A code cell that printed something."""

    def make(text, name="stdout"):
        return new_code_cell("run()", outputs=[new_output("stream", name=name, text=text)])

    return make
