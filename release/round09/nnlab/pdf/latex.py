"""LaTeX as MathJax reads it, rewritten so that latex2mathml reads it, too.

Macros are expanded here, because they last from one formula of a notebook to the next, and so
that nobody can make one that grows without end. The tables below say what else is rewritten.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate

from latex2mathml.symbols_parser import convert_symbol

from nnlab.pdf.page import CannotShow

MOST_CHARACTERS = 25_000  # Those that macros make are counted, too.
TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|%[^\n]*\n?|\s+|[^\\]", re.DOTALL)

# What MathJax knows and latex2mathml does not.
KNOWN = r"""
\def\P{\text{¶}} \def\S{\text{§}} \def\copyright{\text{©}}
\def\colon{{:}\;} \def\coloneqq{:=} \def\dbinom#1#2{{\displaystyle\binom{#1}{#2}}}
\DeclareMathOperator*{\argmax}{arg\,max} \DeclareMathOperator*{\argmin}{arg\,min}
\def\mathop#1{\operatorname*{#1}} \def\mathbin#1{\:{#1}\:} \def\mathrel#1{\;{#1}\;}
\def\mathopen#1{{#1}} \def\mathclose#1{{#1}} \def\mathord#1{{#1}}
\def\mathinner#1{\,{#1}\,} \def\mathpunct#1{{#1}\,}
\def\matrix#1{\begin{matrix}#1\end{matrix}} \def\cases#1{\begin{cases}#1\end{cases}}
\def\pmatrix#1{\begin{pmatrix}#1\end{pmatrix}} \def\cr{\\}
\def\nobreak{} \def\allowbreak{} \def\displaylimits{} \def\hfill{}
\def\nonumber{} \def\notag{} \def\require#1{} \def\eqref#1{\text{(}\ref{#1}\text{)}}
"""
# Environments, and what they begin and end with; those without are kept as they are.
ALIGNED = r"\begin{align*}", r"\end{align*}"
CENTRED = r"\begin{displaylines}", r"\end{displaylines}"
ENVIRONMENTS = {
    name: parts or (rf"\begin{{{name}}}", rf"\end{{{name}}}")
    for names, parts in (
        ("align align* aligned split flalign flalign* alignat alignat* alignedat", ALIGNED),
        ("xalignat xalignat* eqnarray eqnarray*", ALIGNED),
        ("gather gather* gathered multline multline*", CENTRED),
        ("equation equation* displaymath math", ("{", "}")),
        ("dcases", (r"\left\{\begin{align*}&", r"\end{align*}\right.")),
        ("rcases", (r"\left.\begin{array}{ll}", r"\end{array}\right\}")),
        ("subarray", (r"\begin{smallmatrix}", r"\end{smallmatrix}")),
        ("cases array matrix pmatrix bmatrix Bmatrix vmatrix Vmatrix smallmatrix", None),
        ("matrix* pmatrix* bmatrix* vmatrix*", None),
    )
    for name in names.split()
}
COUNTED = {"alignat", "alignat*", "alignedat", "xalignat", "xalignat*", "subarray"}
# Commands that are read here: what follows them ("*" a star, "[" and "{" arguments, "#" a list of
# parameters), and the method that is called with it.
COMMANDS = {
    r"\newcommand": ("*{[[{", "new_command"), r"\renewcommand": ("*{[[{", "new_command"),
    r"\def": ("{#{", "define"), r"\gdef": ("{#{", "define"), r"\let": ("{={", "let"),
    r"\DeclareMathOperator": ("*{{", "operator"), r"\operatorname": ("*{", "operator_name"),
    r"\begin": ("{", "begin"), r"\end": ("{", "end"), "&": ("", "ampersand"),
    r"\\": ("*", "new_row"), r"\tag": ("*{", "tag"), r"\label": ("{", "label"),
    r"\ref": ("{", "reference"), r"\not": ("{", "negated"),
}  # fmt: skip
NEGATED = {"=": r"\neq", "<": r"\nless", ">": r"\ngtr", r"\in": r"\notin", r"\le": r"\nleq",
           r"\ge": r"\ngeq", r"\to": r"\nrightarrow"}  # fmt: skip
TEXTS = {r"\text", r"\textbf", r"\textit", r"\textrm", r"\texttt", r"\textsf", r"\textnormal",
         r"\textup", r"\mbox", r"\hbox"}  # fmt: skip
UNFIT = {r"\sideset", r"\nolimits", r"\skew", r"\bra", r"\ket", r"\braket", r"\genfrac",
         r"\hline", "#"}  # fmt: skip

Macro = tuple[str, str, str]  # What follows it, the default of an argument in brackets, the body


def tokens_of(latex: str) -> list[str]:
    """Commands, spaces and single characters; remarks are left out."""
    return [token for token in TOKEN.findall(latex) if not token.startswith("%")]


@cache
def _known() -> dict[str, Macro]:
    macros = Macros(known={})
    rewritten(KNOWN, macros)
    return macros.known


@dataclass
class Macros:
    """What the formulas of a document define for those after them."""

    known: dict[str, Macro] = field(default_factory=lambda: dict(_known()))
    labels: dict[str, str] = field(default_factory=dict)


def rewritten(latex: str, macros: Macros) -> tuple[str, list[tuple[str, int | None]]]:
    r"""Expand macros, and rewrite what latex2mathml does not read.

    Parameters
    ----------
    latex : str
        A formula without its dollar signs.
    macros : Macros
        Is added to by ``\newcommand`` and its kin.

    Returns
    -------
    latex : str
        What latex2mathml reads.
    tags : list of (str, int or None)
        Equation numbers that stood in it, and the rows that they stood in.

    Raises
    ------
    CannotShow
        If braces or environments do not match, or macros grow without end.
    """
    return _Rewriter(latex, macros).formula()


class _Rewriter:
    def __init__(self, latex: str, macros: Macros) -> None:
        self.macros = macros
        self.todo: list[str] = []
        self.left = MOST_CHARACTERS
        self.done: list[str] = []
        self.environments: list[str] = []
        self.row = 0
        self.ampersands = 0
        self.loose: set[str] = set()  # & and \\ outside of any environment
        self.tags: list[tuple[str, int | None]] = []
        self.names = ["", ""]  # Label and tag of the row
        self.push(latex)

    def formula(self) -> tuple[str, list[tuple[str, int | None]]]:
        while self.todo:
            token = self.todo.pop()
            if token in self.macros.known:
                self.expand(*self.macros.known[token])
            elif token in COMMANDS:
                what, method = COMMANDS[token]
                getattr(self, method)(*self.read(what))
            elif token in TEXTS:
                self.text(token)
            elif token in UNFIT:
                raise CannotShow(f"{token} cannot be drawn")
            else:
                # Two bars stay two bars, and a command is kept apart from what follows.
                self.done.append(f"{token} " if re.match(r"\\[a-zA-Z]+$|\|", token) else token)
        if self.environments:
            raise CannotShow(f"\\end{{{self.environments[-1]}}} is missing")
        *depths, depth = accumulate([(part == "{") - (part == "}") for part in ["", *self.done]])
        if min(depths, default=0) < 0 or depth < 0:
            raise CannotShow("a closing brace has no opening one")
        if depth:
            raise CannotShow("a closing brace is missing")
        latex = "".join(self.done)
        if self.loose:
            begin, end = ALIGNED if "&" in self.loose else CENTRED
            latex = begin + latex + end
        return latex, self.tags

    # Reading ------------------------------------------------------------------------------

    def push(self, latex: str) -> None:
        self.left -= len(latex) + 1
        if self.left < 0:
            raise CannotShow("it is too long, or its macros grow without end")
        self.todo.extend(reversed(tokens_of(latex)))

    def peek(self) -> str:
        while self.todo and self.todo[-1].isspace():
            self.todo.pop()
        return self.todo[-1] if self.todo else ""

    def read(self, what: str) -> list[str | None]:
        """Read what follows a command: stars, arguments in brackets (or None), arguments."""
        found: list[str | None] = []
        for kind in what:
            following = self.peek()
            if kind == "[":
                found.append(self.until("]") if self.skip("[") else None)
            elif kind == "#":
                found.append(self.until("{"))
                self.todo.append("{")
            elif kind != "{":
                found.append(kind if self.skip(kind) else "")
            elif self.skip("{"):
                found.append(self.until("}"))
            elif following:
                star = "*" if self.todo.pop() == r"\operatorname" and self.skip("*") else ""
                found.append(following + star)
            else:
                raise CannotShow("an argument is missing")
        return found

    def skip(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.todo.pop()
        return True

    def until(self, end: str) -> str:
        depth, read = 0, []
        while self.todo:
            token = self.todo.pop()
            if token == end and depth == 0:
                return "".join(read)
            depth += (token == "{") - (token == "}")
            read.append(token)
        raise CannotShow(f"a closing {end} is missing")

    # Macros -------------------------------------------------------------------------------

    def expand(self, what: str, default: str, body: str) -> None:
        arguments = [default if found is None else found for found in self.read(what)]

        def filled(part: re.Match) -> str:
            if part[1]:
                return part[1]
            if int(part[2]) > len(arguments):
                raise CannotShow(f"a macro has no argument #{part[2]}")
            argument = arguments[int(part[2]) - 1]
            return argument + " " if re.search(r"\\[a-zA-Z]+$", argument) else argument

        result = re.sub(r"(\\.)|#([1-9])", filled, body, flags=re.DOTALL)
        # A space keeps a command apart from the letters behind its macro.
        self.push(result + " ")

    def new_command(
        self, star: str, name: str, count: str | None, default: str | None, body: str
    ) -> None:
        name, count = name.strip(), (count or "0").strip()
        if not name.startswith("\\") or not re.fullmatch("[0-9]", count):
            raise CannotShow(f"the definition of {name} cannot be read")
        what = "{" * int(count) if default is None else "[" + "{" * (int(count) - 1)
        self.macros.known[name] = (what, default or "", body)

    def define(self, name: str, parameters: str, body: str) -> None:
        if not name.startswith("\\") or not re.fullmatch(r"(#[1-9])*", parameters.strip()):
            raise CannotShow(f"the definition of {name} cannot be read")
        self.macros.known[name] = ("{" * parameters.count("#"), "", body)

    def let(self, name: str, sign: str, target: str) -> None:
        self.macros.known[name] = self.macros.known.get(target, ("", "", target))

    def operator(self, star: str, name: str, body: str) -> None:
        self.macros.known[name.strip()] = ("", "", rf"\operatorname{star}{{{body}}}")

    # Rewriting ----------------------------------------------------------------------------

    def begin(self, name: str) -> None:
        if name not in ENVIRONMENTS:
            raise CannotShow(f"the environment {name} is not known")
        self.read("{" if name in COUNTED else "" if name == "array" else "[")
        self.environments.append(name)
        self.ampersands = 0
        if self.environments == [name] and self.has_rows():
            self.row = 0
        self.done.append(ENVIRONMENTS[name][0])
        if name == "array":
            columns = re.sub(r"[@!>p]\{.*?\}|[^lcr|]", "", self.read("{")[0])
            if "|" in columns:
                raise CannotShow("rules between columns cannot be drawn")
            self.done.append(f"{{{columns}}}")

    def end(self, name: str) -> None:
        if self.environments[-1:] != [name]:
            raise CannotShow(f"\\end{{{name}}} has no \\begin")
        self.environments.pop()
        self.done.append(ENVIRONMENTS[name][1])

    def has_rows(self) -> bool:
        """Whether the rows of the formula as a whole are made here, and not those of a matrix."""
        outer = self.environments[:1]
        return not outer or ENVIRONMENTS[outer[0]] in (ALIGNED, CENTRED)

    def ampersand(self) -> None:
        name = self.environments[-1] if self.environments else ""
        self.loose |= set() if name else {"&"}
        self.ampersands += 1
        # The middle column of eqnarray joins the right one.
        joined = name.startswith("eqnarray") and self.ampersands > 1
        self.done.append(" " if joined else "&&" if name == "dcases" else "&")

    def new_row(self, star: str) -> None:
        if re.match(r"\[\s*-?[\d.]+\s*[a-z]{2}\s*\]", "".join(self.todo[-1:-16:-1])):
            self.read("[")
        self.ampersands = 0
        if len(self.environments) <= 1 and self.has_rows():
            self.row += 1
            self.names = ["", ""]
        self.loose |= set() if self.environments else {r"\\"}
        self.done.append(r"\\&" if self.environments[-1:] == ["dcases"] else r"\\")

    def text(self, command: str) -> None:
        r"""Split ``\text{for all $x$}`` into words and formulas."""
        if not self.skip("{"):
            self.done.append(command + " ")
            return
        pieces = re.split(r"(?<!\\)\$", self.until("}"))
        if len(pieces) % 2 == 0:
            raise CannotShow(f"a $ is missing in {command}")
        for number, piece in reversed(list(enumerate(pieces))):
            if number % 2:
                self.push(f"{{{piece}}}")
            elif piece:
                words = re.sub(r"(?<!\\)[{}]", "", piece).replace("~", " ")
                words = re.sub(r"\\([%$&#_ {}])", r"\1", words)
                words = words.replace("{", "❴").replace("}", "❵")
                self.todo.append(f"{command}{{{words}}}")  # One token, which nothing rewrites

    def tag(self, star: str, text: str) -> None:
        text = re.sub(r"(?<!\\)[${}]|\\text", "", text)
        row = self.row if self.has_rows() and (self.environments or self.loose) else None
        self.tags.append((text if star else f"({text})", row))
        self.number(self.names[0], text)

    def label(self, name: str) -> None:
        self.number(name, self.names[1])

    def number(self, name: str, tag: str) -> None:
        self.names = [name, tag]
        self.macros.labels[name] = tag or "???"

    def reference(self, name: str) -> None:
        self.push(rf"\text{{{self.macros.labels.get(name, '???')}}}")

    def operator_name(self, star: str, body: str) -> None:
        # latex2mathml takes letters alone, but a thin space is none of the spaces it takes out.
        name = re.sub(r"\\[,:; !>]|~", "\u2009", body)
        name = re.sub(r"\\(mathrm|text|rm|textrm|mathbf)\b|[{}]", "", name).strip()
        if re.fullmatch(r"[a-zA-Z\s]+", name):
            self.done.append(rf"\operatorname{star}{{{name}}}")
        elif re.fullmatch(r"[^\\$_^&#]+", name):
            self.done.append(rf"\,\text{{{name}}}\,")
        else:
            self.push(f"{{{body}}}")

    def negated(self, sign: str) -> None:
        negated = NEGATED.get(sign, r"\n" + sign.removeprefix("\\"))
        if not convert_symbol(negated):
            raise CannotShow(f"\\not{sign} cannot be drawn")
        self.push(negated + " ")
