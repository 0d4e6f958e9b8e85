"""MathML as ziamath has to get it so that formulas look as TeX sets them.

latex2mathml says what a formula means; spaces, stretching and alphabets are TeX's rules, and
ziamath's table of operators knows only some. So each operator is told here what it is.
"""

import html
import re
import xml.etree.ElementTree as ET
from functools import cache
from unicodedata import category

import ziamath
from latex2mathml.converter import Converter
from latex2mathml.symbols_parser import SYMBOLS_FILE
from ziamath.styles import MathVariant, styledstr

from nnlab.pdf.errors import CannotShow

FONT = ziamath.zmath.loadedfonts["default"]
ALPHABETS = {
    "bold": MathVariant(bold=True),
    "italic": MathVariant(italic=True),
    "bold-italic": MathVariant(bold=True, italic=True),
    "double-struck": MathVariant(style="double"),
    "script": MathVariant(style="script"),
    "fraktur": MathVariant(style="fraktur"),
    "sans-serif": MathVariant(style="sans"),
    "sans-serif-italic": MathVariant(style="sans", italic=True),
    "monospace": MathVariant(style="mono"),
}
ACCENTED = {"mover", "munder", "munderover"}
SCRIPTED = {"msub", "msup", "msubsup", *ACCENTED}
# Names over and under which limits stand in displayed formulas.
LIMITS = {"lim", "max", "min", "sup", "inf", "det", "gcd", "Pr", "lim sup", "lim inf"}
# TeX's spaces around relations and binary operators, and after punctuation, in em.
SPACES = {"R": (5 / 18, 5 / 18), "B": (4 / 18, 4 / 18), "P": (0, 3 / 18), "L": (3 / 18, 3 / 18)}
# ziamath takes an em for a third more than it is.
EM = 0.75
RELATIONS = set("=<>:≔∼~")
PUNCTUATION = set(",;")
BINARY = set("+−*±∓×÷·∗⋅∘◯")
ORDINARY = set("/!?.…⋯⋮⋱")


@cache
def _classes() -> dict[str, str]:
    """Unicode's classes of mathematical signs: R relation, B binary, L large, and so on."""
    classes = {}
    with open(SYMBOLS_FILE, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                parts = line.split("^")
                classes[chr(int(parts[0], 16))] = parts[4]
    classes |= dict.fromkeys(RELATIONS, "R") | dict.fromkeys(PUNCTUATION, "P")
    classes |= dict.fromkeys(BINARY, "B") | dict.fromkeys(ORDINARY, "N")
    return classes


def mathml(latex: str, display: bool) -> ET.Element:
    """Convert LaTeX.

    Raises
    ------
    CannotShow
        If a command is unknown or the font lacks a sign; what latex2mathml raises passes through.
    """
    math = Converter(display="block" if display else "inline").convert_to_element(latex)
    del math.attrib["xmlns"]  # ziamath looks for plain names.
    for element in math.iter():
        _mend(element)
    for element in list(math.iter()):
        _space(element)
    _stretch(math, parent=None)
    for element in math.iter():
        for name, value in element.attrib.items():
            element.set(
                name, re.sub(r"(-?[\d.]+)em\b", lambda m: f"{float(m[1]) * EM:.4f}em", value)
            )
    return math


def _mend(element: ET.Element) -> None:
    """Check one element's text, and write its alphabet into it."""
    text = "".join(c for c in html.unescape(element.text or "") if category(c) != "Cf")
    unknown = re.match(r"\\[a-zA-Z]+", text)
    if unknown:
        raise CannotShow(f"{unknown[0]} is not known")
    alphabet = ALPHABETS.get(element.get("mathvariant", ""))
    if alphabet:
        text = styledstr(text, alphabet)
        element.set("mathvariant", "normal")
    for character in text:
        if not (character.isspace() or FONT.glyphindex(character)):
            raise CannotShow(f"the formula font has no {character}")
    element.text = text
    if element.tag == "mi" and len(text) == 1 and _classes().get(text, "N") in "RBPLOCF":
        element.tag = "mo"
    if element.tag in ("mo", "mi") and len(element):
        element.tag = "mrow"
    if element.tag == "mtable" and "scriptlevel" not in element.attrib:
        _mend_table(element)


def _mend_table(table: ET.Element) -> None:
    spacing = table.get("columnspacing", "")
    if spacing.startswith("0em 2em"):
        table.set("columnspacing", "0em 2em")
    elif not spacing:
        table.set("columnspacing", "1em")
    if table.get("rowspacing") in (None, "3pt"):
        table.set("rowspacing", "0.6em" if table.get("displaystyle") else "0.45em")


def _core(element: ET.Element) -> ET.Element:
    """Find the operator at the heart of something with scripts or accents."""
    while len(element) and (
        element.tag in SCRIPTED or (element.tag == "mrow" and len(element) == 1)
    ):
        element = element[0]
    return element


def _class(element: ET.Element) -> str:
    core = _core(element)
    if core.tag != "mo":
        return "N"
    text = core.text or ""
    return _classes().get(text, "N") if len(text) == 1 else "L" if text.strip() else "N"


def _space(parent: ET.Element) -> None:
    """Give the operators of one row TeX's spaces."""
    if parent.tag in ACCENTED | {"msub", "msup", "msubsup", "mfrac", "mroot", "mtable", "mtr"}:
        return
    children = [child for child in parent if child.tag != "mspace" or child.get("linebreak")]
    kinds = [_class(child) for child in children]
    for place, (child, kind) in enumerate(zip(children, kinds, strict=True)):
        core = _core(child)
        if core.tag != "mo":
            continue
        before = kinds[place - 1] if place else ""
        after = kinds[place + 1] if place + 1 < len(kinds) else ""
        left, right = SPACES.get(kind, (0, 0))
        if kind == "B" and (before in ("", "B", "R", "O", "L", "P") or not after):
            left = right = 0  # A sign, and no operation
            kinds[place] = "N"
        if kind == "R":
            left = 0 if before == "R" or (not before and parent.tag != "mtd") else left
            right = 0 if after in ("R", "") else right
        if kind == "L":
            left = left if before in ("N", "C", "L") else 0
            right = right if after in ("N", "L", "B") else 0
        if core.text == "mod":
            left = right = 4 / 18
        core.set("form", core.get("form", "infix"))
        if child.tag in ACCENTED and kind in "RB":
            # Spaces stand around the whole, so that what is over a sign is over its middle.
            at = list(parent).index(child)
            parent.insert(at + 1, ET.Element("mspace", width=f"{right:.4f}em"))
            parent.insert(at, ET.Element("mspace", width=f"{left:.4f}em"))
            left = right = 0
        core.set("lspace", f"{left:.4f}em")
        core.set("rspace", f"{right:.4f}em")
        if (kind == "L" and len(core.text) == 1) or core.text in LIMITS:
            integral = core.text in "∫∬∭⨌∮∯∰"
            core.set("movablelimits", "false" if integral else "true")
            core.set("largeop", "true" if len(core.text) == 1 else "false")


def _stretch(element: ET.Element, parent: ET.Element | None) -> None:
    r"""Stretch what TeX stretches: after \left, beside matrices, over and under a base."""
    if element.tag == "mo" and parent is not None:
        text = element.text or ""
        beside_table = any(child.tag == "mtable" for child in parent)
        if parent.tag in ACCENTED:
            if text == "^":
                element.text = "\u02c6" if element.get("stretchy") == "false" else "\u0302"
            elif text == "~":
                element.text = "~" if element.get("stretchy") == "false" else "\u0303"
        elif not ({"stretchy", "minsize"} & element.attrib.keys() or beside_table):
            element.set("stretchy", "false")
    for child in element:
        _stretch(child, element)
