"""Code and output as lines of coloured runs, broken where the column ends."""

import functools
import re
from unicodedata import east_asian_width

COLUMNS = 90
SMALL_COLUMNS = 105

# The styles of template.typ, by the kinds of Pygments' tokens; a token without one is plain.
STYLES = {
    "Token.Keyword": "keyword",
    "Token.Operator.Word": "keyword",
    "Token.Name.Builtin": "builtin",
    "Token.Name.Function": "name",
    "Token.Name.Class": "name",
    "Token.Name.Decorator": "name",
    "Token.Literal.String": "string",
    "Token.Literal.Number": "number",
    "Token.Comment": "comment",
}

ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")

Line = list[str | list[str]]


@functools.cache
def _style(token) -> str:
    while token is not None:
        if str(token) in STYLES:
            return STYLES[str(token)]
        token = token.parent
    return ""


def highlighted(source: str, language: str) -> list[Line]:
    """Lines of a program, in the colours of its language if Pygments knows it."""
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return [[line] for line in source.split("\n")]
    lines: list[Line] = [[]]
    for token, text in lexer.get_tokens(source):
        style = _style(token)
        for number, part in enumerate(text.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append([style, part] if style else part)
    return lines


def printed(text: str) -> list[Line]:
    """Lines that a program printed, as a terminal shows them in the end."""
    lines = [_overwritten(line) for line in text.replace("\r\n", "\n").split("\n")]
    if lines and not lines[-1]:
        lines.pop()
    if "\x1b" not in text:
        return [[line] for line in lines]
    return _coloured(lines)


def _overwritten(line: str) -> str:
    """Leave of a line what is left after its carriage returns and backspaces."""
    if "\b" in line:
        kept: list[str] = []
        for character in line:
            if character != "\b":
                kept.append(character)
            elif kept:
                kept.pop()
        line = "".join(kept)
    if "\r" not in line:
        return line
    shown = ""
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    return shown


def _coloured(lines: list[str]) -> list[Line]:
    from rich.ansi import AnsiDecoder

    decoder = AnsiDecoder()
    result: list[Line] = []
    for line in lines:
        kept = ESCAPES.sub(lambda m: m[0] if COLOURS.fullmatch(m[0]) else "", line)
        text = decoder.decode_line(kept)
        runs: Line = []
        at = 0
        for span in text.spans:  # In order, and none within another
            runs.append(text.plain[at : span.start])
            runs.append(_run(text.plain[span.start : span.end], span.style))
            at = span.end
        result.append([run for run in [*runs, text.plain[at:]] if run])
    return result


def _run(text: str, style) -> str | list[str]:
    bold = "bold" if style.bold else ""
    if style.color is None or style.color.is_default:
        return [bold, text] if bold else text
    red, green, blue = style.color.get_truecolor()
    # Terminals are often dark, paper is white: pale colours are darkened until they can be read.
    light = (0.3 * red + 0.59 * green + 0.11 * blue) / 255
    factor = min(1.0, 0.45 / max(light, 0.01))
    mixed = "".join(f"{round(part * factor):02x}" for part in (red, green, blue))
    return [f"{bold} #{mixed}".strip(), text]


def cut(lines: list, limit: int) -> tuple[list, list, int]:
    """Head, tail, and how many lines are left out between them."""
    if len(lines) <= limit:
        return lines, [], 0
    tail = limit // 4
    return lines[: limit - tail], lines[-tail:], len(lines) - limit


def _width(character: str) -> int:
    return 2 if east_asian_width(character) in "WF" else 1


def wrap(lines: list[Line], columns: int = COLUMNS) -> list[list[Line]]:
    """Break long lines: one list for each line, holding the rows it takes."""
    return [_rows(line, columns) for line in lines]


def _rows(line: Line, columns: int) -> list[Line]:
    rows: list[Line] = [[]]
    column = 0
    for run in line:
        style, text = ("", run) if isinstance(run, str) else run
        text = text.expandtabs(4)
        while text:
            room = columns - column
            piece = text if text.isascii() else _fitting(text, room)
            if len(piece) > room:
                # Rather after a space, a comma or a bracket than in the middle of a word.
                gap = max(text.rfind(mark, room // 2, room) for mark in " ,([/")
                if gap < 0 and len(text) < columns // 3 and column > 2:
                    rows.append([])  # A short word goes to the next row as a whole.
                    column = 2
                    continue
                piece = text[: gap + 1] if gap >= 0 else text[:room]
            if piece:
                rows[-1].append([style, piece] if style else piece)
                column += sum(map(_width, piece)) if not piece.isascii() else len(piece)
                text = text[len(piece) :]
            if text:
                rows.append([])
                column = 2  # Where the mark of a continued line stands.
    return rows


def _fitting(text: str, room: int) -> str:
    used = 0
    for number, character in enumerate(text):
        used += _width(character)
        if used > room:
            return text[:number]
    return text
