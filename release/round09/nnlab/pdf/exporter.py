"""The PDF as one of nbconvert's exports: in JupyterLab's menu and on the command line."""

from pathlib import Path

from nbconvert.exporters import Exporter
from traitlets import Enum, default

from nnlab.pdf import Title, export


class TypstPDFExporter(Exporter):
    """Exports a notebook as PDF, without TeX and without a browser.

    ``jupyter nbconvert --to typstpdf notebook.ipynb``; in JupyterLab *File → Save and Export
    Notebook As… → PDF (Typst)*.
    """

    export_from_notebook = "PDF (Typst)"
    output_mimetype = "application/pdf"

    paper = Enum(["a4", "us-letter"], default_value="a4", help="Paper size.").tag(config=True)

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".pdf"

    def from_notebook_node(self, nb, resources=None, **kwargs):
        """Convert a notebook; what had to be boxed is logged as warnings."""
        nb, resources = super().from_notebook_node(nb, resources, **kwargs)
        about = resources.get("metadata") or {}
        folder = Path(about["path"]) if about.get("path") else None
        exported = export(
            [(about.get("name") or "Notebook", nb, folder)],
            title=title_of(nb),
            paper=self.paper,
        )
        for sentence in exported.boxed:
            self.log.warning(sentence)
        return exported.pdf, resources


def title_of(notebook: dict) -> Title | None:
    """Make the title block that a notebook's metadata ask for, if they do.

    ``title`` and ``authors`` are Jupyter's own; ``nnlab`` may hold any part of `Title`.
    """
    metadata = notebook.get("metadata") or {}
    authors = metadata.get("authors")
    names = [
        author.get("name", "") if isinstance(author, dict) else str(author)
        for author in (authors if isinstance(authors, list) else ())
    ]
    parts = {"round": str(metadata.get("title") or ""), "name": ", ".join(filter(None, names))}
    own = metadata.get("nnlab")
    if isinstance(own, dict):
        known = Title.__dataclass_fields__
        parts |= {name: str(value) for name, value in own.items() if name in known and value}
    return Title(**parts) if any(parts.values()) else None
