"""Notebooks to one PDF: Typst sets the nodes that the other modules made."""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from unicodedata import category

import typst

from nnlab.pdf import Exported, Title
from nnlab.pdf.cells import from_notebook
from nnlab.pdf.formulas import Formulas
from nnlab.pdf.page import Page

TEMPLATE = files("nnlab.pdf") / "template.typ"
REFUSALS = (typst.TypstError, RuntimeError)
# Characters that no font draws get a placeholder with their number. Typst itself leaves a blank for
# them, but for PDF/A it refuses, and names them: so it is asked once for the unusual ones.
PROBE = b"""
#set document(title: "probe")
#for one in json(bytes(sys.inputs.characters)) { par(one) }
"""
MOST_PROBED = 3_000
TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# JSON writes control characters as escapes; the second one of each pair of backslashes is text.
ESCAPE = re.compile(r"\\(?:u(....)|(.))")
SHORT_ESCAPES = {"b": "⟨U+0008⟩", "f": "⟨U+000C⟩", "r": "⟨U+000D⟩", "t": " "}


def typeset(notebooks: Sequence[tuple], title: Title | None, paper: str) -> Exported:
    """Set notebooks; see `nnlab.pdf.export`."""
    page = Page(Formulas())
    parts, written = [], []
    for name, notebook, folder in notebooks:
        page.name, page.folder, page.level = str(name), folder, 0
        made = from_notebook(notebook, page) or [("", [])]
        cells = [nodes for _, nodes in made]
        if len(notebooks) > 1 and page.level == 0:
            cells[0].insert(0, page.heading(1, [page.name]))
        parts.append([page.name, cells])
        written.append([source for source, _ in made])
    title = title or Title()
    about = {
        "paper": paper,
        "title": asdict(title) if any(asdict(title).values()) else None,
        "heading": title.round or ", ".join(name for name, _ in parts) or "Notebooks",
        "author": title.name,
        "running": "  ·  ".join(filter(None, (title.name, title.student_number))),
    }
    # The folder holds nothing but the document's files, so that no picture can show another.
    with TemporaryDirectory(prefix="nnlab-pdf-") as folder:
        root = Path(folder)
        (root / "main.typ").write_bytes(TEMPLATE.read_bytes())
        for data, name in page.files.items():
            (root / name).write_bytes(data)
        setter = _Setter(root, about)
        try:
            pdf = setter.best(parts)
        except REFUSALS:
            for (page.name, cells), sources in zip(parts, written, strict=True):
                for page.cell, (nodes, source) in enumerate(zip(cells, sources, strict=True), 1):
                    cells[page.cell - 1] = setter.mended(nodes, source, page)
            pdf = setter.best(parts)
    return Exported(pdf, tuple(page.boxed))


class _Setter:
    """Typst at work on one document."""

    def __init__(self, root: Path, about: dict) -> None:
        self.root = root
        self.about = about

    def best(self, parts: list) -> bytes:
        """Set the PDF, accessible by the letter of PDF/UA-1 if Typst finds that it is."""
        try:
            return self.pdf(parts, ["ua-1"])
        except REFUSALS:
            return self.pdf(parts, [])

    def pdf(self, parts: list, standards: list[str]) -> bytes:
        document, fonts = _visible({**self.about, "notebooks": parts})
        (self.root / "document.json").write_text(document, "utf-8")
        try:
            return typst.compile(
                self.root / "main.typ", root=self.root, font_paths=fonts, pdf_standards=standards
            )
        except BaseException as problem:
            if type(problem).__name__ == "PanicException":  # of Rust, and no Exception of Python's
                raise RuntimeError(f"Typst gave up: {problem}") from problem
            raise

    def mended(self, nodes: list, source: str, page: Page) -> list:
        """Replace those nodes that Typst does not set by boxes with the cell as it is written."""
        try:
            self.pdf([["", [nodes]]], [])
        except REFUSALS as problem:
            if len(nodes) > 1:
                return [kept for node in nodes for kept in self.mended([node], source, page)]
            if nodes[0][0] == "cell":
                return [["cell", *(self.mended(part, source, page) for part in nodes[0][1:])]]
            reason = str(problem).partition("\n")[0][:200] or "Typst refuses it"
            return [page.box("Part of a cell", reason, source)]
        return nodes


# Characters -------------------------------------------------------------------------------------


@cache
def _fonts(system: bool) -> typst.Fonts:
    """Typst's own fonts and DejaVu Sans, which comes with ziafont, and those of this machine."""
    dejavu = str(files("ziafont") / "fonts")
    return typst.Fonts(include_system_fonts=system, font_paths=[dejavu])


def _visible(tree: object) -> tuple[str, typst.Fonts]:
    """Write a tree as JSON in which each character can be seen.

    Parameters
    ----------
    tree : list, dict or other
        What JSON can hold.

    Returns
    -------
    document : str
        With placeholders for what cannot be drawn or would only work on its neighbours.
    fonts : typst.Fonts
        The fonts that draw the rest: the same on every machine, if these are enough.
    """
    document = ESCAPE.sub(
        lambda m: f"⟨U+{m[1].upper()}⟩" if m[1] else SHORT_ESCAPES.get(m[2], m[0]),
        json.dumps(tree, ensure_ascii=False),
    )
    unusual = {character for character in set(document) if character > "\x7e"}
    unseen = {character for character in unusual if _is_control(character)}
    missing = _missing(unusual - unseen, _fonts(system=False))
    system = bool(missing)
    if system:
        missing = _missing(missing, _fonts(system=True))
    table = {ord(character): f"⟨U+{ord(character):04X}⟩" for character in missing | unseen}
    return document.translate(table), _fonts(system=system)


def _is_control(character: str) -> bool:
    """Control characters, halves of characters, and what turns the direction of text."""
    noncharacter = ord(character) & 0xFFFE == 0xFFFE
    return category(character) in ("Cc", "Cs") or character in TURNING or noncharacter


def _missing(characters: set[str], fonts: typst.Fonts) -> set[str]:
    """Ask Typst which characters these fonts do not draw."""
    probed = json.dumps(sorted(characters)[:MOST_PROBED])
    try:
        typst.compile(
            PROBE, font_paths=fonts, sys_inputs={"characters": probed}, pdf_standards=["a-2u"]
        )
    except typst.TypstError as problem:
        named = re.findall(r'the text `"(.+?)"` could not be displayed', problem.diagnostic)
        found = re.sub(r"\\u\{([0-9a-f]+)\}", lambda m: chr(int(m[1], 16)), "".join(named))
        return set(found) & characters
    return set()
