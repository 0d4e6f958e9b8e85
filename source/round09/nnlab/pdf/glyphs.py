"""No silent blanks: characters that no font draws get a placeholder with their number.

Typst itself leaves a blank for a missing glyph, but for PDF/A it refuses, and names the
character. So it is asked once for all unusual characters of a document.
"""

import json
import re
from functools import cache
from importlib.resources import files
from unicodedata import category

import typst

PROBE = b"""
#set document(title: "probe")
#for one in json(bytes(sys.inputs.characters)) { par(one) }
"""
MOST_PROBED = 3_000


@cache
def own_fonts() -> typst.Fonts:
    """Typst's own fonts and DejaVu Sans, which comes with ziafont: the same on every machine."""
    return typst.Fonts(include_system_fonts=False, font_paths=[str(files("ziafont") / "fonts")])


@cache
def all_fonts() -> typst.Fonts:
    """Find the fonts of this machine, too: for scripts that the others lack."""
    return typst.Fonts(font_paths=[str(files("ziafont") / "fonts")])


def visible(tree: object) -> tuple[object, typst.Fonts]:
    """Make sure that each character can be seen.

    Parameters
    ----------
    tree : str, list, dict or other
        Text in nested lists and dicts.

    Returns
    -------
    tree
        The same, with placeholders for what cannot be drawn or would only work on its neighbours.
    fonts : typst.Fonts
        The fonts that draw the rest.
    """
    characters = set().union(*_strings(tree))
    unseen = {c for c in characters if _is_control(c)} - {"\n", "\t"}
    unusual = {c for c in characters if c > "\x7e"} - unseen
    fonts = own_fonts()
    missing = _missing(unusual, fonts)
    if missing:
        fonts = all_fonts()
        missing = _missing(missing, fonts)
    table = {ord(c): f"⟨U+{ord(c):04X}⟩" for c in missing | unseen}
    return _replaced(tree, table | {ord("\t"): " "}), fonts


def _is_control(character: str) -> bool:
    """Control characters, halves of characters, and what turns the direction of text."""
    return (
        category(character) in ("Cc", "Cs")
        or character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
        or ord(character) & 0xFFFE == 0xFFFE
    )


def _strings(tree: object) -> set[str]:
    if isinstance(tree, str):
        return {tree}
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, list | tuple):
        return set()
    return set().union(*map(_strings, tree))


def _replaced(tree: object, table: dict[int, str]) -> object:
    if isinstance(tree, str):
        return tree if tree.isascii() and tree.isprintable() else tree.translate(table)
    if isinstance(tree, dict):
        return {name: _replaced(branch, table) for name, branch in tree.items()}
    if isinstance(tree, list | tuple):
        return [_replaced(branch, table) for branch in tree]
    return tree


def _missing(characters: set[str], fonts: typst.Fonts) -> set[str]:
    probed = sorted(characters)[:MOST_PROBED]
    if not probed:
        return set()
    try:
        typst.compile(
            PROBE,
            font_paths=fonts,
            sys_inputs={"characters": json.dumps(probed)},
            pdf_standards=["a-2u"],
        )
    except typst.TypstError as problem:
        named = re.findall(r'the text `"(.+?)"` could not be displayed', problem.diagnostic)
        found = {json.loads(f'"{_unescaped(name)}"') for name in named}
        return set("".join(found)) & characters
    return set()


def _unescaped(name: str) -> str:
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda m: chr(int(m[1], 16)), name)
