"""Code and output as lines of coloured runs, broken where the column ends."""

import re
from itertools import groupby

from pygments.lexers import get_lexer_by_name
from pygments.token import Token
from pygments.util import ClassNotFound
from rich.ansi import AnsiDecoder
from rich.cells import cell_len
from rich.style import Style

COLUMNS = 90
SMALL_COLUMNS = 105
LONGEST_COLOURED = 200_000
# The styles of template.typ, by the kinds of Pygments' tokens; a token without one is plain.
STYLES = {
    Token.Keyword: "keyword",
    Token.Operator.Word: "keyword",
    Token.Name.Builtin: "builtin",
    Token.Name.Function: "name",
    Token.Name.Class: "name",
    Token.Name.Decorator: "name",
    Token.Literal.String: "string",
    Token.Literal.Number: "number",
    Token.Comment: "comment",
}
TITLES = re.compile(r"\x1b\][^\x07\x1b]*(\x07|\x1b\\)")

Run = tuple[str, str]  # Style and text
Line = list[Run]


def highlighted(source: str, language: str) -> list[Line]:
    """Lines of a program, in the colours of its language if Pygments knows it."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        lexer = None
    if lexer is None or len(source) > LONGEST_COLOURED:
        return [[("", line)] for line in source.split("\n")]
    lines: list[Line] = [[]]
    for token, text in lexer.get_tokens(source):
        style = next((style for kind, style in STYLES.items() if token in kind), "")
        first, *others = text.split("\n")
        lines[-1].append((style, first))
        lines += [[(style, other)] for other in others]
    return lines


def printed(text: str) -> list[Line]:
    """Lines that a program printed, as a terminal shows them in the end."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    decoder = AnsiDecoder()
    return [_coloured(_overwritten(line), decoder) for line in lines]


def _overwritten(line: str) -> str:
    """Leave of a line what is left after its backspaces and carriage returns."""
    if "\b" in line:
        kept: list[str] = []
        for character in line:
            if character != "\b":
                kept.append(character)
            elif kept:
                kept.pop()
        line = "".join(kept)
    shown = ""
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    return shown


def _coloured(line: str, decoder: AnsiDecoder) -> Line:
    if "\x1b" not in line and not decoder.style:
        return [("", line)]
    text = decoder.decode_line(TITLES.sub("", line))
    runs, at = [], 0
    for span in text.spans:  # In order, and none within another
        runs.append(("", text.plain[at : span.start]))
        runs.append((_look(span.style), text.plain[span.start : span.end]))
        at = span.end
    return [run for run in [*runs, ("", text.plain[at:])] if run[1]]


def _look(style: Style) -> str:
    bold = "bold" if style.bold else ""
    if style.color is None or style.color.is_default:
        return bold
    rgb = style.color.get_truecolor()
    # Terminals are often dark, paper is white: pale colours are darkened until they can be read.
    light = (0.3 * rgb.red + 0.59 * rgb.green + 0.11 * rgb.blue) / 255
    factor = min(1.0, 0.45 / max(light, 0.01))
    return f"{bold} #{''.join(f'{round(part * factor):02x}' for part in rgb)}".strip()


def wrap(lines: list[Line], columns: int = COLUMNS) -> list[list[Line]]:
    """Break long lines: one list for each line, holding the rows it takes."""
    return [_rows([(style, text.expandtabs(4)) for style, text in line], columns) for line in lines]


def _rows(line: Line, columns: int) -> list[Line]:
    if sum(cell_len(text) for _, text in line) <= columns:
        return [line]
    cells = [(character, style) for style, text in line for character in text]
    rows, start, room = [], 0, columns
    while start < len(cells):
        end, used = start, 0
        while end < len(cells) and (used := used + cell_len(cells[end][0])) <= room:
            end += 1
        if end < len(cells):
            # Rather after a space, a comma or a bracket than in the middle of a word.
            half = (start + end) // 2
            end = next((n for n in range(end, half, -1) if cells[n - 1][0] in " ,([/"), end)
        runs = groupby(cells[start:end], key=lambda cell: cell[1])
        rows.append([(style, "".join(c for c, _ in run)) for style, run in runs])
        start, room = end, columns - 2  # A mark stands at the beginning of a continued line.
    return rows


def cut(items: list, limit: int) -> tuple[list, list, int]:
    """Head, tail, and how many are left out between them."""
    if len(items) <= limit:
        return items, [], 0
    tail = limit // 4
    return items[: limit - tail], items[-tail:], len(items) - limit
