"""Notebooks to one PDF: Typst sets the nodes that the other modules made."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

import typst

from nnlab.pdf import Exported, Title
from nnlab.pdf.cells import from_notebook
from nnlab.pdf.glyphs import visible
from nnlab.pdf.page import Page, Shared

TEMPLATE = files("nnlab.pdf") / "template.typ"
ACCESSIBLE = ["ua-1"]


def typeset(notebooks: Sequence[tuple], title: Title | None, paper: str) -> Exported:
    """Set notebooks; see `nnlab.pdf.export`."""
    shared = Shared()
    pages, parts = [], []
    for name, notebook, folder in notebooks:
        page = Page(str(name), folder, shared)
        cells = from_notebook(notebook, page)
        if len(notebooks) > 1 and page.level == 0:
            cells = cells or [[]]
            cells[0] = [page.heading(1, [page.name]), *cells[0]]
        pages.append(page)
        parts.append([page.name, cells])
    with TemporaryDirectory(prefix="nnlab-pdf-") as folder:
        setter = _Setter(Path(folder), parts, title, paper)
        for name, data in shared.files.items():
            (setter.root / name).write_bytes(data)
        try:
            pdf = setter.best(parts)
        except (typst.TypstError, RuntimeError):
            for (_, cells), page in zip(parts, pages, strict=True):
                for number, cell in enumerate(cells, 1):
                    page.cell = number
                    cells[number - 1] = setter.mended(cell, page)
            pdf = setter.best(parts)
    return Exported(pdf, tuple(shared.boxed))


class _Setter:
    """Typst at work on one document, in a folder that holds nothing but the document's files."""

    def __init__(self, root: Path, parts: list, title: Title | None, paper: str) -> None:
        self.root = root
        title = title or Title()
        names = ", ".join(name for name, _ in parts)
        self.about = {
            "paper": paper,
            "title": asdict(title) if any(asdict(title).values()) else None,
            "heading": title.round or names or "Notebooks",
            "author": title.name,
            "running": "  ·  ".join(filter(None, (title.name, title.student_number))),
        }
        (root / "main.typ").write_bytes(TEMPLATE.read_bytes())

    def best(self, parts: list) -> bytes:
        """Set the PDF, accessible by the letter of PDF/UA-1 if Typst finds that it is."""
        try:
            return self.pdf(parts, ACCESSIBLE)
        except (typst.TypstError, RuntimeError):
            return self.pdf(parts, [])

    def pdf(self, parts: list, standards: list[str]) -> bytes:
        document, fonts = visible({**self.about, "notebooks": parts})
        (self.root / "document.json").write_text(json.dumps(document), "utf-8")
        return typst.compile(
            self.root / "main.typ", root=self.root, font_paths=fonts, pdf_standards=standards
        )

    def mended(self, nodes: list, page: Page) -> list:
        """Replace by boxes those nodes that Typst does not set."""
        reason = self.refusal(nodes)
        if not reason:
            return nodes
        if len(nodes) == 1 and nodes[0][0] == "cell":
            return [["cell", *(self.mended(part, page) for part in nodes[0][1:])]]
        if len(nodes) == 1:
            return [page.box("Part of a cell", reason, _words(nodes[0], page))]
        return [mended for node in nodes for mended in self.mended([node], page)]

    def refusal(self, nodes: list) -> str:
        """Why Typst does not set these nodes; empty if it does."""
        try:
            self.pdf([["", [nodes]]], [])
        except (typst.TypstError, RuntimeError) as problem:
            return str(problem).partition("\n")[0][:200] or "Typst refuses it"
        return ""


def _words(node: list, page: Page) -> str:
    """Collect what a node says, without its kind and the names of files."""
    parts = (_words(part, page) if isinstance(part, list | tuple) else part for part in node[1:])
    return "\n".join(p for p in parts if isinstance(p, str) and p and p not in page.shared.files)
