"""What the cells of one notebook share while they are set: files, formulas, and what was boxed."""

from dataclasses import dataclass, field
from pathlib import Path

from nnlab.pdf.formulas import Drawing, Formulas

LONGEST_SOURCE = 20_000  # What somebody wrote; of what a program made, a taste is enough.
LONGEST_OUTPUT = 1_000


@dataclass
class Shared:
    """What all notebooks of one document share.

    Attributes
    ----------
    files : dict of str to bytes
        Pictures, by the numbered names under which Typst finds them.
    boxed : list of str
        One sentence for each box.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    boxed: list[str] = field(default_factory=list)
    formulas: Formulas = field(default_factory=Formulas)
    _drawings: dict[str, str] = field(default_factory=dict)

    def add_file(self, data: bytes, suffix: str) -> str:
        """Keep a picture under a new name, and return the name."""
        name = f"{len(self.files)}.{suffix}"
        self.files[name] = data
        return name

    def add_drawing(self, drawing: Drawing) -> str:
        """Keep a formula, equal ones only once, and return its name."""
        if drawing.svg not in self._drawings:
            self._drawings[drawing.svg] = self.add_file(drawing.svg.encode(), "svg")
        return self._drawings[drawing.svg]


@dataclass
class Page:
    """One notebook on its way to paper, and the cell that is being set."""

    name: str
    folder: Path | None
    shared: Shared
    cell: int = 0
    attachments: dict = field(default_factory=dict)
    level: int = 0

    def heading(self, level: int, body: list) -> list:
        """Make a heading; no level is skipped, for outlines and screen readers need each."""
        self.level = max(1, min(level, self.level + 1))
        return ["heading", self.level, body]

    def box(self, what: str, reason: object, source: str, *, inline: bool = False) -> list:
        """Make a marked box that holds the source, and the reason in words."""
        self.shared.boxed.append(f"{self.name}, cell {self.cell}: {what}: {reason}.")
        longest = LONGEST_OUTPUT if what.startswith("Output") else LONGEST_SOURCE
        if len(source) > longest:
            source = source[:longest] + " …"
        return ["inline-box" if inline else "box", f"{what}: {reason}.", source]
