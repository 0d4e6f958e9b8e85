"""Formulas as drawings that know their baseline: LaTeX to MathML to SVG."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

import ziamath
from ziamath.nodes.mrow import Mrow
from ziamath.nodes.mspace import Mpadded, Mphantom
from ziamath.nodes.mtable import Mtable

from nnlab.pdf.errors import CannotShow
from nnlab.pdf.latex import Macros, rewritten
from nnlab.pdf.mathml import mathml

SIZE = 24.0  # Pixels for an em while drawing; the text's own size is set by Typst.
LONGEST = 20_000


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
    """Draws formulas; remembers the macros that earlier ones defined, and what it has drawn."""

    def __init__(self) -> None:
        self.macros = Macros()
        self._drawn: dict[tuple[str, bool], Drawing | CannotShow] = {}

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
        if len(latex) > LONGEST:
            raise CannotShow(f"it is longer than {LONGEST} characters")
        try:
            formula = rewritten(latex, self.macros)
        except RecursionError as problem:
            raise CannotShow("it is nested too deeply") from problem
        key = (formula.latex, tuple(formula.tags), display)
        if key not in self._drawn:
            try:
                self._drawn[key] = _draw(formula.latex, formula.tags, display)
            except CannotShow as problem:
                self._drawn[key] = problem
        drawn = self._drawn[key]
        if isinstance(drawn, CannotShow):
            raise drawn
        return drawn


def _draw(latex: str, tags: list, display: bool) -> Drawing:
    if not latex.strip("{} \n"):
        return Drawing("", 0, 0, 0)
    try:
        drawn = ziamath.Math(mathml(latex, display), size=SIZE, margin=0)
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
    rows = _rows_of_first_table(drawn.node)
    places = []
    for text, row in tags:
        baseline = rows[row] if row is not None and row < len(rows) else 0.0
        places.append((text, (box.ymax + baseline) / SIZE))
    return Drawing(svg, width, height, -box.ymin / SIZE, tuple(places))


def _in_words(problem: Exception) -> str:
    """``DoubleSuperscriptsError`` becomes "double superscripts"."""
    name = re.sub(r"(Error|Exception)$", "", type(problem).__name__)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    if type(problem).__module__.startswith("latex2mathml"):
        return words
    return "it cannot be read"


def _rows_of_first_table(node, y: float = 0.0) -> list[float]:
    """Baselines of the rows of the outermost table, downwards from the formula's baseline."""
    if isinstance(node, Table):
        return [y + baseline for baseline in node.baselines]
    for (_, below), child in zip(node.nodexy, node.nodes, strict=False):
        found = _rows_of_first_table(child, y + below) if hasattr(child, "nodexy") else []
        if found:
            return found
    return []


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


class Table(Mtable, tag="mtable"):
    """ziamath's table, with the rules between the columns and rows of ``array``."""

    def _setup(self, **kwargs) -> None:
        super()._setup(**kwargs)
        self.baselines = sorted({y for _, y in self.nodexy})

    def draw(self, x: float, y: float, svg: ET.Element) -> tuple[float, float]:
        """Draw the cells, then the rules between them."""
        end = super().draw(x, y, svg)
        left, right, bottom, top = self.bbox
        columns = [across for across, _ in self.nodexy[: len(self.element[0])]]
        for across in self._ruled("columnlines", columns):
            _line(svg, x + across - 0.35 * SIZE, y - top, x + across - 0.35 * SIZE, y - bottom)
        for down in self._ruled("rowlines", self.baselines):
            height = max(
                n.bbox.ymax
                for (_, at), n in zip(self.nodexy, self.nodes, strict=True)
                if at == down
            )
            down = y + down - height - 0.15 * SIZE
            _line(svg, x + left, down, x + right, down)
        return end

    def _ruled(self, attribute: str, places: list[float]) -> list[float]:
        """Those places, of all but the first, before which there is a rule."""
        kinds = self.element.get(attribute, "").split()
        return [place for place, kind in zip(places[1:], kinds, strict=False) if kind != "none"]


def _line(svg: ET.Element, x1: float, y1: float, x2: float, y2: float) -> None:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    look = {"stroke": "black", "stroke-width": "1"}
    ET.SubElement(svg, "line", {**{name: f"{end:.2f}" for name, end in ends.items()}, **look})
