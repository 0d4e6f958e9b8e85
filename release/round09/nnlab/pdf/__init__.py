"""Notebooks as one PDF, from pip packages alone: no TeX, no pandoc, no browser, no network.

Typst sets the pages, ziamath draws the formulas, nbconvert's parser reads the Markdown. Whatever
cannot be shown stands in a marked box with its source and the reason: an export always ends with
a PDF, and nothing that somebody wrote is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["Exported", "Title", "export"]


@dataclass(frozen=True)
class Title:
    """What the title block says; empty parts are left out."""

    course: str = ""
    round: str = ""
    name: str = ""
    student_number: str = ""
    date: str = ""


@dataclass(frozen=True)
class Exported:
    """A finished PDF.

    Attributes
    ----------
    pdf : bytes
        The document.
    boxed : tuple of str
        One sentence for each thing that stands in a marked box: notebook, cell, reason.
    """

    pdf: bytes
    boxed: tuple[str, ...]


def export(
    notebooks: Sequence[tuple[str, "NotebookNode", Path | None]],
    *,
    title: Title | None = None,
    paper: str = "a4",
) -> Exported:
    """Set notebooks as one PDF, each from a new page on.

    Parameters
    ----------
    notebooks : sequence of (name, notebook, folder)
        The folder is where a notebook's image files are looked for, and never outside of it;
        None: nowhere.
    title : Title, optional
        The title block, which also names the student in the head of each page.
    paper : {"a4", "us-letter"}
        Paper size.

    Returns
    -------
    Exported
        The PDF, and what had to be boxed.
    """
    # Typst and ziamath are loaded only where somebody exports: every kernel imports nnlab.
    from nnlab.pdf.document import typeset

    return typeset(notebooks, title, paper)
