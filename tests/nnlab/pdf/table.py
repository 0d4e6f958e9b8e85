"""The table of formulas: a PDF to look at, its frozen sizes, and its text in docs/pdf.md.

python -m tests.nnlab.pdf.table --pdf sheet.pdf    to look at each formula
python -m tests.nnlab.pdf.table --write            after that: freeze, and write docs/pdf.md
"""

import argparse
import json
import tomllib
from pathlib import Path

from nbformat.v4 import new_markdown_cell, new_notebook

from nnlab.pdf import export
from nnlab.pdf.formulas import Formulas
from nnlab.pdf.page import CannotShow

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[2] / "docs" / "pdf.md"
FROZEN = HERE / "formulas.json"
BEGIN = "<!-- Written by: python -m tests.nnlab.pdf.table --write -->"
END = "<!-- End of the table -->"


def groups() -> dict[str, dict[str, tuple[str, str]]]:
    """Constructs by group: LaTeX, and why it is boxed (empty if it is drawn)."""
    with (HERE / "formulas.toml").open("rb") as file:
        table = tomllib.load(file)
    return {
        group.replace("-", " "): {
            name: (row, "") if isinstance(row, str) else (row["latex"], row["boxed"])
            for name, row in rows.items()
        }
        for group, rows in table.items()
    }


def rows() -> dict[str, tuple[str, str]]:
    """All constructs; see `groups`."""
    return {name: row for group in groups().values() for name, row in group.items()}


def measured(latex: str) -> list[float] | str:
    """Width, height, depth and number of shapes of a drawing, or why there is none."""
    try:
        drawing = Formulas().draw(latex, True)
    except CannotShow as problem:
        return str(problem)
    shapes = drawing.svg.count("<") - drawing.svg.count("</")
    return [round(drawing.width, 2), round(drawing.height, 2), round(drawing.depth, 2), shapes]


def as_markdown() -> str:
    """The table for docs/pdf.md."""
    lines = []
    for group, constructs in groups().items():
        lines += [
            "",
            f"### {group}",
            "",
            "| construct | for example | in the PDF |",
            "|---|---|---|",
        ]
        for name, (latex, boxed) in constructs.items():
            example = " ".join(latex.split()).replace("|", "\\|")
            name = name.replace("|", "\\|")
            lines.append(f"| {name} | `{example}` | {f'boxed: {boxed}' if boxed else 'drawn'} |")
    return "\n".join([BEGIN, *lines, "", END])


def with_table(document: str) -> str:
    """The document with the table as it is now."""
    before, _, rest = document.partition(BEGIN)
    return before + as_markdown() + rest.partition(END)[2]


def main() -> None:
    """Make the sheet to look at, or write what follows from the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pdf", type=Path, help="write a sheet of all formulas")
    parser.add_argument("--write", action="store_true", help="freeze sizes, write docs/pdf.md")
    options = parser.parse_args()
    if options.pdf:
        cells = [
            new_markdown_cell(f"{name} `{' '.join(latex.split())}`\n\n$${latex}$$")
            for name, (latex, _) in rows().items()
        ]
        exported = export([("formulas", new_notebook(cells=cells), None)])
        options.pdf.write_bytes(exported.pdf)
        print(*exported.boxed, sep="\n")
    if options.write:
        sizes = {name: measured(latex) for name, (latex, _) in rows().items()}
        text = ",\n".join(f"{json.dumps(n)}: {json.dumps(s)}" for n, s in sizes.items())
        FROZEN.write_text(f"{{\n{text}\n}}\n", "utf-8")
        DOCUMENT.write_text(with_table(DOCUMENT.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
