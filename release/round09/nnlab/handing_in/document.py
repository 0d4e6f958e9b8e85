"""The one PDF: the notebooks, and the scan of Exercise 1 behind them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from nnlab.handing_in.notebooks import Notebook

OUTLINE = "Exercise 1, scan"
LABEL = "scan "


@dataclass(frozen=True)
class Exported:
    """The notebooks as a PDF.

    Attributes
    ----------
    pdf : bytes
        Empty if it could not be made.
    told : tuple of str
        What could not be shown as it is, or why there is no PDF.
    """

    pdf: bytes
    told: tuple[str, ...]


def export_notebooks(notebooks: Sequence[Notebook], **title: str) -> Exported:
    """Turn the notebooks that can be read into one PDF.

    Parameters
    ----------
    notebooks : sequence of Notebook
    **title
        What stands at the top: course, round, name, student_number, date.

    Returns
    -------
    Exported
        Without a PDF if the export fails, for whatever reason: the notebooks are still handed in.
    """
    readable = [item for item in notebooks if item.node is not None]
    if not readable:
        return Exported(b"", ("There is no PDF: no notebook can be read.",))
    try:
        from nnlab.pdf import Title, export

        parts = [(item.name, item.node, item.path.parent) for item in readable]
        done = export(parts, title=Title(**title))
    except ImportError as problem:
        remedy = "run “python -m pip install -r requirements.txt” and restart the kernel"
        return Exported(b"", (f"The notebooks' PDF is missing: {problem}; {remedy}.",))
    except Exception as problem:
        what = " ".join(f"{type(problem).__name__}: {problem}".split())[:200]
        remedy = "print each notebook to PDF in the browser, and tell the course staff"
        return Exported(b"", (f"The notebooks' PDF could not be made ({what}); {remedy}.",))
    return Exported(done.pdf, tuple(done.boxed))


def merge(notebooks: bytes, scan: bytes) -> bytes:
    """Put the scan behind the notebooks, where it changes none of their page numbers.

    It is the last entry of the outline, and its pages are labelled “scan 1”, “scan 2” and so on,
    as the answer cells name them: whoever grades finds it at the same place in every PDF.

    Parameters
    ----------
    notebooks, scan : bytes
        PDFs; either may be empty.

    Returns
    -------
    bytes
        Empty if both are.
    """
    if not (notebooks and scan):
        return notebooks or scan
    from pypdf import PdfWriter
    from pypdf.generic import NameObject

    writer = PdfWriter(clone_from=io.BytesIO(notebooks))
    first = len(writer.pages)
    # Photos have no tags: with them it is no PDF/UA any more, as its metadata may say.
    writer.root_object.pop(NameObject("/Metadata"), None)
    writer.append(io.BytesIO(scan), import_outline=False)
    writer.add_outline_item(title=OUTLINE, page_number=first)
    writer.set_page_label(0, first - 1, style="/D", start=1)
    writer.set_page_label(first, len(writer.pages) - 1, style="/D", prefix=LABEL, start=1)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def count_pages(pdf: bytes) -> int:
    """Count the pages of a PDF.

    Parameters
    ----------
    pdf : bytes

    Returns
    -------
    int
    """
    from pypdf import PdfReader

    return len(PdfReader(io.BytesIO(pdf)).pages)
