"""LaTeX as MathJax reads it, rewritten so that latex2mathml reads it, too.

Macros are expanded here, because they last from one formula of a notebook to the next, and so
that nobody can make one that grows without end. The tables below say what else is rewritten.
"""

import re
from dataclasses import dataclass, field

from nnlab.pdf.errors import CannotShow

MOST_TOKENS = 20_000
TOKEN = re.compile(r"\\[a-zA-Z]+|\\.|%[^\n]*\n?|\s+|[^\\]", re.DOTALL)

# What MathJax knows and latex2mathml does not, as macros: number of arguments, replacement.
KNOWN = {
    r"\P": (0, r"\text{¶}"),
    r"\S": (0, r"\text{§}"),
    r"\copyright": (0, r"\text{©}"),
    r"\colon": (0, r"{:}\;"),
    r"\coloneqq": (0, ":="),
    r"\dbinom": (2, r"{\displaystyle\binom{#1}{#2}}"),
    r"\argmax": (0, r"\operatorname*{arg\,max}"),
    r"\argmin": (0, r"\operatorname*{arg\,min}"),
    r"\mathbin": (1, r"\:{#1}\:"),
    r"\mathclose": (1, "{#1}"),
    r"\mathinner": (1, r"\,{#1}\,"),
    r"\mathopen": (1, "{#1}"),
    r"\mathord": (1, "{#1}"),
    r"\mathpunct": (1, r"{#1}\,"),
    r"\mathrel": (1, r"\;{#1}\;"),
    r"\nobreak": (0, ""),
    r"\allowbreak": (0, ""),
    r"\displaylimits": (0, ""),
    r"\nonumber": (0, ""),
    r"\notag": (0, ""),
    r"\hfill": (0, ""),
    r"\require": (1, ""),
}
# Environments: what stands at their beginning and end, and in place of & and \\ within.
ALIGNED = (r"\begin{align*}", r"\end{align*}", "&", r"\\")
CENTRED = (r"\begin{displaylines}", r"\end{displaylines}", "&", r"\\")
PLAIN = ("{", "}", "&", r"\\")
CASES = (r"\begin{align*}&", r"\end{align*}", "&&", r"\\&")
ENVIRONMENTS = {
    **dict.fromkeys(
        ("align", "align*", "aligned", "split", "flalign", "flalign*", "alignat", "alignat*",
         "alignedat", "xalignat", "xalignat*"), ALIGNED,
    ),
    **dict.fromkeys(("gather", "gather*", "gathered", "multline", "multline*"), CENTRED),
    **dict.fromkeys(("equation", "equation*", "displaymath", "math"), PLAIN),
    "eqnarray": (*ALIGNED[:2], None, r"\\"),
    "eqnarray*": (*ALIGNED[:2], None, r"\\"),
    "cases": (r"\begin{cases}", r"\end{cases}", "&", r"\\"),
    "dcases": (r"\left\{" + CASES[0], CASES[1] + r"\right.", *CASES[2:]),
    "rcases": (r"\left.\begin{array}{ll}", r"\end{array}\right\}", "&", r"\\"),
    "subarray": (r"\begin{smallmatrix}", r"\end{smallmatrix}", "&", r"\\"),
    **{
        name: (rf"\begin{{{name}}}", rf"\end{{{name}}}", "&", r"\\")
        for name in ("array", "matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "Vmatrix",
                     "smallmatrix", "matrix*", "pmatrix*", "bmatrix*", "vmatrix*")
    },
}  # fmt: skip
COUNTED = {"alignat", "alignat*", "alignedat", "xalignat", "xalignat*", "subarray"}
OUTERMOST_ROWS = {name for name, parts in ENVIRONMENTS.items() if parts in (ALIGNED, CENTRED)}
# Plain TeX's tables, whose rows stand in braces.
BRACED_TABLES = {r"\matrix": "matrix", r"\pmatrix": "pmatrix", r"\cases": "cases"}
UNFIT = {r"\sideset", r"\nolimits", r"\skew", r"\bra", r"\ket", r"\braket"}
NEGATED = {"=": r"\neq", "<": r"\nless", ">": r"\ngtr", r"\equiv": r"\nequiv", r"\in": r"\notin",
           r"\sim": r"\nsim", r"\approx": r"\napprox", r"\subset": r"\nsubset",
           r"\mid": r"\nmid", r"\parallel": r"\nparallel", r"\exists": r"\nexists",
           r"\le": r"\nleq", r"\leq": r"\nleq", r"\ge": r"\ngeq", r"\geq": r"\ngeq",
           r"\subseteq": r"\nsubseteq", r"\supset": r"\nsupset", r"\to": r"\nrightarrow",
           r"\cong": r"\ncong", r"\rightarrow": r"\nrightarrow"}  # fmt: skip
TEXTS = {r"\text", r"\textbf", r"\textit", r"\textrm", r"\texttt", r"\textsf", r"\textnormal",
         r"\textup", r"\mbox", r"\hbox"}  # fmt: skip

BRACES_IN_TEXT = str.maketrans({"{": "❴", "}": "❵"})

Macro = tuple[int, list[str], list[str] | None]


def tokens_of(latex: str) -> list[str]:
    """Commands, spaces and single characters; remarks are left out."""
    return [token for token in TOKEN.findall(latex) if not token.startswith("%")]


@dataclass
class Macros:
    """What the formulas of a document define for those after them."""

    known: dict[str, Macro] = field(
        default_factory=lambda: {
            name: (count, tokens_of(body), None) for name, (count, body) in KNOWN.items()
        }
    )
    labels: dict[str, str] = field(default_factory=dict)


@dataclass
class Formula:
    """LaTeX that latex2mathml reads, and the equation numbers that stood in it."""

    latex: str
    tags: list[tuple[str, int | None]]


def rewritten(latex: str, macros: Macros) -> Formula:
    r"""Expand macros, and rewrite what latex2mathml does not read.

    Parameters
    ----------
    latex : str
        A formula without its dollar signs.
    macros : Macros
        Is added to by ``\newcommand`` and its kin.

    Raises
    ------
    CannotShow
        If braces or environments do not match, or macros grow without end.
    """
    return _Rewriter(latex, macros).formula()


class _Rewriter:
    def __init__(self, latex: str, macros: Macros) -> None:
        self.todo = tokens_of(latex)[::-1]
        self.macros = macros
        self.done: list[str] = []
        self.environments: list[str] = []
        self.braces = 0
        self.row = 0
        self.ampersands = 0
        self.steps = 0
        self.tags: list[tuple[str, int | None]] = []
        self.label = ""
        self.loose: set[str] = set()  # & and \\ outside of any environment
        self.special = {
            "{": self.open_brace, "}": self.close_brace,
            "&": self.ampersand, r"\\": self.new_row, r"\cr": self.new_row,
            r"\hline": self.rule, r"\begin": self.begin, r"\end": self.end,
            r"\tag": self.tag, r"\label": self.read_label,
            r"\eqref": lambda: self.reference("({})"), r"\ref": lambda: self.reference("{}"),
            r"\newcommand": self.new_command, r"\renewcommand": self.new_command,
            r"\providecommand": lambda: self.new_command(keep=True),
            r"\def": self.define, r"\gdef": self.define, r"\let": self.let,
            r"\DeclareMathOperator": self.operator,
            r"\operatorname": self.operator_name, "|": self.bar,
            r"\genfrac": self.general_fraction, r"\not": self.negated,
            r"\mathop": lambda: self.push([r"\operatorname", "*", "{", *self.argument(), "}"]),
        }  # fmt: skip

    def formula(self) -> Formula:
        while self.todo:
            self.step()
        if self.braces or self.environments:
            where = f"\\end{{{self.environments[-1]}}}" if self.environments else "a closing brace"
            raise CannotShow(f"{where} is missing")
        latex = "".join(self.done)
        if self.loose:
            kind = ALIGNED if "&" in self.loose else CENTRED
            latex = kind[0] + latex + kind[1]
        if self.label:
            self.macros.labels[self.label] = self.tags[-1][0].strip("()") if self.tags else "???"
        return Formula(latex, self.tags)

    def step(self) -> None:
        self.steps += 1
        if self.steps > MOST_TOKENS:
            raise CannotShow("it is too long, or its macros grow without end")
        token = self.todo.pop()
        if token in self.macros.known:
            self.expand(*self.macros.known[token])
        elif token in TEXTS:
            self.text(token)
        elif token in BRACED_TABLES and self.peek() == "{":
            name = BRACED_TABLES[token]
            body = self.argument()
            self.push([r"\begin", *"{", *name, "}", *body, r"\end", *"{", *name, "}"])
        elif token in self.special:
            self.special[token]()
        elif token in UNFIT:
            raise CannotShow(f"{token} cannot be drawn")
        else:
            if token[0].isalpha() and self.done and re.fullmatch(r"\\[a-zA-Z]+", self.done[-1]):
                self.done.append(" ")
            # latex2mathml reads \mathrm{x} as another sign, but not with a space between.
            self.done.append(token + " " if token.startswith(r"\math") else token)

    # Reading ------------------------------------------------------------------------------

    def push(self, tokens: list[str]) -> None:
        if len(self.todo) + len(tokens) > 4 * MOST_TOKENS:
            raise CannotShow("its macros grow without end")
        self.todo.extend(reversed(tokens))

    def peek(self) -> str:
        while self.todo and self.todo[-1].isspace():
            self.todo.pop()
        return self.todo[-1] if self.todo else ""

    def argument(self) -> list[str]:
        """Read the tokens of the next argument, without its braces."""
        if not self.peek():
            raise CannotShow("an argument is missing")
        if self.peek() != "{":
            token = self.todo.pop()
            return [token, *self.optional_star()] if token == r"\operatorname" else [token]
        self.todo.pop()
        return self.until("}")

    def until(self, end: str) -> list[str]:
        depth, read = 0, []
        while self.todo:
            token = self.todo.pop()
            if token == end and depth == 0:
                return read
            depth += (token == "{") - (token == "}")
            read.append(token)
        raise CannotShow(f"a closing {end} is missing")

    def optional(self) -> list[str] | None:
        """Read the tokens of an optional argument in brackets, if there is one."""
        if self.peek() != "[":
            return None
        self.todo.pop()
        return self.until("]")

    def optional_star(self) -> list[str]:
        return [self.todo.pop()] if self.peek() == "*" else []

    # Macros -------------------------------------------------------------------------------

    def expand(self, count: int, body: list[str], default: list[str] | None) -> None:
        arguments = []
        for number in range(count):
            given = self.optional() if number == 0 and default is not None else self.argument()
            arguments.append(default if given is None else given)
        result: list[str] = []
        parts = iter(body)
        for part in parts:
            number = next(parts, "") if part == "#" else ""
            if number.isdigit() and 0 < int(number) <= len(arguments):
                result.extend(arguments[int(number) - 1])
            else:
                result.extend(filter(None, (part, number)))
            if len(result) > MOST_TOKENS:
                raise CannotShow("its macros grow without end")
        # A space keeps a command apart from the letters behind its macro.
        self.push([*result, " "])

    def new_command(self, keep: bool = False) -> None:
        self.optional_star()
        name = "".join(self.argument()).strip()
        count = "".join(self.optional() or "0").strip()
        default = self.optional()
        body = self.argument()
        if not name.startswith("\\") or not count.isdecimal() or len(count) > 1:
            raise CannotShow(f"the definition of {name} cannot be read")
        if not (keep and name in self.macros.known):
            self.macros.known[name] = (int(count), body, default)

    def define(self) -> None:
        self.peek()
        name = self.todo.pop() if self.todo else ""
        pattern = []
        while self.todo and self.todo[-1] != "{":
            pattern.append(self.todo.pop())
        if not name.startswith("\\") or not re.fullmatch(r"(#[1-9])*", "".join(pattern).strip()):
            raise CannotShow(f"the definition of {name} cannot be read")
        self.macros.known[name] = (pattern.count("#"), self.argument(), None)

    def let(self) -> None:
        name = "".join(self.argument())
        if self.peek() == "=":
            self.todo.pop()
        target = self.argument()
        known = self.macros.known
        known[name] = known.get("".join(target), (0, target, None))

    def operator(self) -> None:
        star = self.optional_star()
        name = "".join(self.argument()).strip()
        self.macros.known[name] = (0, [r"\operatorname", *star, "{", *self.argument(), "}"], None)

    # Rewriting ----------------------------------------------------------------------------

    def open_brace(self) -> None:
        self.braces += 1
        self.done.append("{")

    def close_brace(self) -> None:
        self.braces -= 1
        if self.braces < 0:
            raise CannotShow("a closing brace has no opening one")
        self.done.append("}")

    def bar(self) -> None:
        # Two bars side by side stay two bars, and do not become one sign.
        self.done.append("| ")

    def begin(self) -> None:
        name = "".join(self.argument())
        if name not in ENVIRONMENTS:
            raise CannotShow(f"the environment {name} is not known")
        if not self.environments and name in OUTERMOST_ROWS:
            self.row = 0
        if name != "array":
            self.optional()
        if name in COUNTED:
            self.argument()
        self.environments.append(name)
        self.ampersands = 0
        self.done.append(ENVIRONMENTS[name][0])
        if name == "array":
            self.optional()
            columns = re.sub(r"[^lcr|]", "", re.sub(r"[@!>p]\{.*?\}", "", "".join(self.argument())))
            self.done.append(f"{{{columns}}}")

    def end(self) -> None:
        name = "".join(self.argument())
        if not self.environments or self.environments[-1] != name:
            raise CannotShow(f"\\end{{{name}}} has no \\begin")
        self.environments.pop()
        self.done.append(ENVIRONMENTS[name][1])

    def ampersand(self) -> None:
        if not self.environments:
            self.loose.add("&")
            self.done.append("&")
            return
        mark = ENVIRONMENTS[self.environments[-1]][2]
        self.ampersands += 1
        if mark is None:  # eqnarray: the middle column joins the right one.
            mark = "&" if self.ampersands == 1 else " "
        self.done.append(mark)

    def new_row(self) -> None:
        if self.peek() == "*":
            self.todo.pop()
        if re.match(r"\[\s*-?[\d.]+\s*[a-z]{2}\s*\]", "".join(self.todo[-1:-16:-1])):
            self.optional()
        self.ampersands = 0
        if len(self.environments) <= 1:
            self.row += 1
        if not self.environments:
            self.loose.add(r"\\")
        self.done.append(ENVIRONMENTS[self.environments[-1]][3] if self.environments else r"\\")

    def rule(self) -> None:
        """Keep a rule between rows; one above the first or below the last row is left out."""
        while self.done and self.done[-1].isspace():
            self.done.pop()
        if self.done[-1:] == [r"\\"] and self.peek() != r"\end":
            self.done.append(r"\hline ")

    def text(self, command: str) -> None:
        r"""Split ``\text{for all $x$}`` into words and formulas."""
        if self.peek() != "{":
            self.done.append(command + " ")
            return
        pieces = re.split(r"(?<!\\)\$", "".join(self.argument()))
        if len(pieces) % 2 == 0:
            raise CannotShow(f"a $ is missing in {command}")
        tokens: list[str] = []
        for number, piece in enumerate(pieces):
            if number % 2:
                tokens += ["{", *tokens_of(piece), "}"]
            elif piece:
                words = re.sub(r"(?<!\\)[{}]", "", piece).replace("~", " ")
                words = re.sub(r"\\([%$&#_ ])", r"\1", words).translate(BRACES_IN_TEXT)
                tokens.append(f"{command}{{{words}}}")  # One token, which nothing rewrites.
        self.push(tokens)

    def tag(self) -> None:
        star = self.optional_star()
        text = re.sub(r"(?<!\\)[${}]|\\text", "", "".join(self.argument()))
        outer = self.environments[:1]
        row = self.row if not outer or outer[0] in OUTERMOST_ROWS else None
        alone = not outer and not self.loose
        self.tags.append((text if star else f"({text})", None if alone else row))

    def read_label(self) -> None:
        self.label = "".join(self.argument())
        if self.tags:
            self.macros.labels[self.label] = self.tags[-1][0].strip("()")

    def reference(self, form: str) -> None:
        name = "".join(self.argument())
        self.done.append(rf"\text{{{form.format(self.macros.labels.get(name, '???'))}}}")

    def operator_name(self) -> None:
        star = "*" if self.optional_star() else ""
        body = self.argument()
        # latex2mathml takes letters alone, but a thin space is none of the spaces it takes out.
        name = re.sub(r"\\[,:; !>]|~", "\u2009", "".join(body))
        name = re.sub(r"\\(mathrm|text|rm|textrm|mathbf)\b|[{}]", "", name).strip()
        if re.fullmatch(r"[a-zA-Z\s]+", name):
            self.done.append(rf"\operatorname{star}{{{name}}}")
        elif re.fullmatch(r"[^\\$_^&#]+", name):
            self.done.append(rf"\,\text{{{name}}}\,")
        else:
            self.push(["{", *body, "}"])

    def negated(self) -> None:
        sign = "".join(self.argument())
        if sign not in NEGATED:
            raise CannotShow(f"\\not{sign} cannot be drawn")
        self.push([NEGATED[sign]])

    def general_fraction(self) -> None:
        left, right, bar, style, top, bottom = ("".join(self.argument()) for _ in range(6))
        sizes = {"0": r"\displaystyle", "1": r"\textstyle", "2": r"\scriptstyle"}
        line = r"\atop" if re.match(r"\s*0*\.?0*\s*[a-z]", bar) else r"\over"
        fraction = f"{{{top} {line} {bottom}}}"
        latex = rf"{{{sizes.get(style, '')} \left{left or '.'}{fraction}\right{right or '.'}}}"
        self.push(tokens_of(latex))
