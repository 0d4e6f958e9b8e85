"""Formulas as drawings that know their baseline: LaTeX to MathML to SVG."""

import html
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from unicodedata import category

import ziamath
from latex2mathml.converter import Converter
from latex2mathml.symbols_parser import SYMBOLS_FILE
from ziamath.nodes.mrow import Mrow
from ziamath.nodes.mspace import Mpadded, Mphantom
from ziamath.nodes.mtable import Mtable
from ziamath.styles import MathVariant, parse_variant, styledstr

from nnlab.pdf.latex import Macros, rewritten
from nnlab.pdf.page import CannotShow

SIZE = 24.0  # Pixels for an em while drawing; the text's own size is set by Typst.
FONT = ziamath.zmath.loadedfonts["default"]
# MathML's names of alphabets that ziamath calls otherwise.
ALPHABETS = {"double-struck": "double", "sans-serif": "sans", "monospace": "mono", "-": " "}
ACCENTED = {"mover", "munder", "munderover"}
SCRIPTED = {"msub", "msup", "msubsup", *ACCENTED}
# Names over and under which limits stand in displayed formulas.
LIMITS = {"lim", "max", "min", "sup", "inf", "det", "gcd", "Pr", "lim sup", "lim inf"}
# TeX's spaces around relations and binary operators, and after punctuation, in em.
SPACES = {"R": (5 / 18, 5 / 18), "B": (4 / 18, 4 / 18), "P": (0, 3 / 18), "L": (3 / 18, 3 / 18)}
# ziamath takes an em for a third more than it is.
EM = 0.75
LENGTH = re.compile(r"(-?[\d.]+)em\b")
# Signs of another class than Unicode's.
SIGNS = {"R": "=<>:≔∼~", "P": ",;", "B": "+−*±∓×÷·∗⋅∘◯", "N": "/!?.…⋯⋮⋱"}


@dataclass(frozen=True)
class Drawing:
    """A formula as SVG; lengths are in em of the text around it.

    Attributes
    ----------
    svg : str
        The picture.
    width, height, depth : float
        Its size, and how far it reaches below the baseline.
    tags : tuple of (str, float)
        Equation numbers, and how far below the top edge each one's baseline is.
    """

    svg: str
    width: float
    height: float
    depth: float
    tags: tuple[tuple[str, float], ...] = ()


class Formulas:
    """Draws formulas, and remembers the macros that earlier ones defined."""

    def __init__(self) -> None:
        self.macros = Macros()

    def draw(self, latex: str, display: bool) -> Drawing:
        r"""Draw a formula.

        Parameters
        ----------
        latex : str
            Without its dollar signs; may define macros by ``\newcommand`` and its kin.
        display : bool
            Whether it stands on a line of its own.

        Raises
        ------
        CannotShow
            If it cannot be drawn.
        """
        latex, tags = rewritten(latex, self.macros)
        return _draw(latex, tuple(tags), display)


@lru_cache(maxsize=1000)
def _draw(latex: str, tags: tuple[tuple[str, int | None], ...], display: bool) -> Drawing:
    if not latex.strip("{} \n"):
        return Drawing("", 0, 0, 0)
    try:
        drawn = ziamath.Math(_mathml(latex, display), size=SIZE, margin=0)
        svg = drawn.svg()
    except CannotShow:
        raise
    except RecursionError as problem:
        raise CannotShow("it is nested too deeply") from problem
    except Exception as problem:  # Two libraries, and any kind of error for what they do not read
        raise CannotShow(_in_words(problem)) from problem
    box = drawn.node.bbox
    width, height = (box.xmax - box.xmin) / SIZE, (box.ymax - box.ymin) / SIZE
    if not (0 < width < 2000 and 0 < height < 2000):
        raise CannotShow("nothing of it can be drawn")
    rows = dict(enumerate(_rows_of_first_table(drawn.node)))
    places = tuple((text, (box.ymax + rows.get(row, 0)) / SIZE) for text, row in tags)
    return Drawing(svg, width, height, -box.ymin / SIZE, places)


def _in_words(problem: Exception) -> str:
    """``DoubleSuperscriptsError`` becomes "double superscripts"."""
    if not type(problem).__module__.startswith("latex2mathml"):
        return "it cannot be read"
    name = type(problem).__name__.removesuffix("Error")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _rows_of_first_table(node, y: float = 0.0) -> list[float]:
    """Baselines of the rows of the outermost table, downwards from the formula's baseline."""
    if isinstance(node, Mtable):
        return sorted({y + below for _, below in node.nodexy})
    for (_, below), child in zip(node.nodexy, node.nodes, strict=False):
        found = _rows_of_first_table(child, y + below) if hasattr(child, "nodexy") else []
        if found:
            return found
    return []


# MathML -----------------------------------------------------------------------------------------


@cache
def _classes() -> dict[str, str]:
    """Unicode's classes of mathematical signs: R relation, B binary, L large, and so on."""
    lines = Path(SYMBOLS_FILE).read_text("utf-8").splitlines()
    rows = [line.split("^") for line in lines if not line.startswith("#")]
    classes = {chr(int(row[0], 16)): row[4] for row in rows}
    return classes | {sign: kind for kind, signs in SIGNS.items() for sign in signs}


def _mathml(latex: str, display: bool) -> ET.Element:
    """Write MathML as ziamath has to get it so that formulas look as TeX sets them.

    latex2mathml says what a formula means; spaces, stretching and alphabets are TeX's rules, and
    ziamath's table of operators knows only some. So each operator is told here what it is.
    """
    math = Converter(display="block" if display else "inline").convert_to_element(latex)
    del math.attrib["xmlns"]  # ziamath looks for plain names.
    for element in math.iter():
        _mend(element)
    for element in list(math.iter()):
        _space(element)
        _stretch(element)
    for element in math.iter():
        for name, value in element.attrib.items():
            element.set(name, LENGTH.sub(lambda m: f"{float(m[1]) * EM:.4f}em", value))
    return math


def _mend(element: ET.Element) -> None:
    """Check one element's text, and write its alphabet into it."""
    text = "".join(c for c in html.unescape(element.text or "") if category(c) != "Cf")
    unknown = re.match(r"\\[a-zA-Z]+", text)
    if unknown:
        raise CannotShow(f"{unknown[0]} is not known")
    alphabet = element.get("mathvariant", "normal")
    if alphabet != "normal":
        for name, short in ALPHABETS.items():
            alphabet = alphabet.replace(name, short)
        text = styledstr(text, parse_variant(alphabet, MathVariant()))
        element.set("mathvariant", "normal")
    missing = [c for c in text if not (c.isspace() or FONT.glyphindex(c))]
    if missing:
        raise CannotShow(f"the formula font has no {missing[0]}")
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
    kinds = ["", *map(_class, children), ""]
    for place, child in enumerate(children, 1):
        core = _core(child)
        if core.tag != "mo":
            continue
        before, kind, after = kinds[place - 1 : place + 2]
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


def _stretch(parent: ET.Element) -> None:
    r"""Stretch what TeX stretches: after \left, beside matrices, over and under a base."""
    beside_table = parent.find("mtable") is not None
    for element in parent.findall("mo"):
        stretchy = element.get("stretchy") != "false"
        if parent.tag in ACCENTED:
            accents = {"^": "\u0302", "~": "\u0303"} if stretchy else {"^": "\u02c6"}
            element.text = accents.get(element.text, element.text)
        elif not ({"stretchy", "minsize"} & element.attrib.keys() or beside_table):
            element.set("stretchy", "false")


# Layout -----------------------------------------------------------------------------------------


class _Lean:
    """A row that ziamath would lay out twice on each level of nesting: 2^10 times on ten."""

    def _get_height_nostretch(self, line: list[ET.Element], **kwargs) -> tuple[float, float]:
        stretched = any(mo.get("stretchy") != "false" for child in line for mo in child.iter("mo"))
        if kwargs.get("nostretch") or not stretched:
            return 0, 0  # The height is asked for only to stretch something.
        return super()._get_height_nostretch(line, **kwargs)


class Row(_Lean, Mrow, tag="mrow"):
    """ziamath's row."""


class Padded(_Lean, Mpadded, tag="mpadded"):
    """ziamath's row with spaces around it."""


class Phantom(_Lean, Mphantom, tag="mphantom"):
    """ziamath's row that is not seen."""
