"""What is known of the document while its cells are set: files, formulas, and what was boxed."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnlab.pdf.formulas import Formulas

LONGEST_SOURCE = 20_000  # What somebody wrote; of what a program made, a taste is enough.
LONGEST_OUTPUT = 1_000


class CannotShow(Exception):
    """Something has to stand in a marked box; the message is the reason, a few words."""


@dataclass
class Page:
    """The notebook and the cell that are being set, and what all notebooks share.

    Attributes
    ----------
    files : dict of bytes to str
        Pictures, each with the numbered name under which Typst finds it.
    boxed : list of str
        One sentence for each box.
    """

    formulas: "Formulas"
    name: str = ""
    folder: Path | None = None
    cell: int = 0
    level: int = 0
    attachments: dict = field(default_factory=dict)
    files: dict[bytes, str] = field(default_factory=dict)
    boxed: list[str] = field(default_factory=list)

    def add_file(self, data: bytes, suffix: str) -> str:
        """Keep a picture, equal ones only once, and return its name."""
        return self.files.setdefault(data, f"{len(self.files)}.{suffix}")

    def heading(self, level: int, body: list) -> list:
        """Make a heading; no level is skipped, for outlines and screen readers need each."""
        self.level = max(1, min(level, self.level + 1))
        return ["heading", self.level, body]

    def box(self, what: str, reason: object, source: str, *, inline: bool = False) -> list:
        """Make a marked box that holds the source, and the reason in words."""
        self.boxed.append(f"{self.name}, cell {self.cell}: {what}: {reason}.")
        longest = LONGEST_OUTPUT if what.startswith("Output") else LONGEST_SOURCE
        shown = source if len(source) <= longest else source[:longest] + " …"
        return ["inline-box" if inline else "box", f"{what}: {reason}.", shown]
