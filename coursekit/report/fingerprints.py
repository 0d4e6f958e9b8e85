"""Turn an answer into fingerprints that survive other names, comments and layout.

A fingerprint is a run of tokens, as in MOSS and copydetect. Pygments cuts code into tokens: names
of variables and functions, numbers and texts each become one word, comments and blanks vanish.
A written answer is cut into its words and signs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode
from pygments import token
from pygments.lexers import PythonLexer

CODE_RUN, TEXT_RUN = 12, 8
"""Tokens of a fingerprint: a shorter answer has none."""

LONGEST_ANSWER = 20_000
"""Characters of an answer that are looked at."""

WORD = re.compile(r"\w+|[^\w\s]")
SKIPPED = (token.Comment, token.Whitespace, token.Literal.String.Doc)
KINDS = (
    (token.Name.Builtin, None),
    (token.Name, "name"),
    (token.Literal.Number, "number"),
    (token.Literal.String, "text"),
)


@dataclass(frozen=True)
class Fingerprint:
    """A run of tokens, and the lines, from 0, on which it begins and ends."""

    key: str
    first: int
    last: int


def fingerprints(cell: NotebookNode) -> list[Fingerprint]:
    """Take the fingerprints of a cell.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        Nothing in it is trusted, and nothing of it runs.

    Returns
    -------
    list of Fingerprint
        In their order; empty for a short cell.
    """
    source = cell.source[:LONGEST_ANSWER]
    code = cell.cell_type == "code"
    tokens = list(_code(source) if code else _text(source))
    length = CODE_RUN if code else TEXT_RUN
    return [
        Fingerprint(
            " ".join(word for word, _ in tokens[start : start + length]),
            tokens[start][1],
            tokens[start + length - 1][1],
        )
        for start in range(len(tokens) - length + 1)
    ]


def _code(source: str) -> Iterator[tuple[str, int]]:
    """Yield each token that counts, with its line."""
    line, before = 0, None
    for kind, text in PythonLexer(stripnl=False).get_tokens(source):
        if text.strip() and not any(kind in skipped for skipped in SKIPPED):
            word = next((word for group, word in KINDS if kind in group), None) or text.strip()
            if not (word == before == "text"):  # the parts of a text are one word
                yield word, line
            before = word
        line += text.count("\n")


def _text(source: str) -> Iterator[tuple[str, int]]:
    for line, words in enumerate(source.split("\n")):
        for word in WORD.findall(words):
            yield word.lower(), line
