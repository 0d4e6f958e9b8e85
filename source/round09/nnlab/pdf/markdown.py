"""Markdown cells as the nodes that template.typ walks; nbconvert's parser reads them."""

import html
import re
from functools import cache

from nnlab.pdf.errors import CannotShow
from nnlab.pdf.htmltext import TAGS, from_html
from nnlab.pdf.images import find_picture
from nnlab.pdf.lines import highlighted, wrap
from nnlab.pdf.page import Page

MATH = ("block_math_tex", "block_math_latex", "inline_math_tex", "inline_math_latex",
        "latex_environment")  # fmt: skip
BLOCKS = {"paragraph", "block_text", "block_math", "heading", "list", "block_quote", "table"}
DEEPEST = 40
# mistune's time grows with the square of some texts: for these it is seconds.
LONGEST = 30_000
DATA_URI = re.compile(r"data:(image/[\w.+-]+);base64,([A-Za-z0-9+/=]{500,})")


@cache
def _parser():
    from nbconvert.filters.markdown_mistune import MarkdownWithMath

    return MarkdownWithMath(renderer=None)


def from_markdown(source: str, page: Page) -> list:
    """Set a Markdown text.

    Parameters
    ----------
    source : str
        The text of a cell.
    page : Page
        The notebook that it stands in.

    Returns
    -------
    list
        Block nodes for template.typ.

    Raises
    ------
    CannotShow
        If the text is too long, or nested too deeply.
    """
    source = DATA_URI.sub(lambda uri: _as_attachment(uri, page), source)
    if len(source) > LONGEST:
        raise CannotShow(f"it is longer than {LONGEST} characters")
    return _Setter(page).blocks(_parser()(_tables(source)))


def _as_attachment(uri: re.Match, page: Page) -> str:
    """Keep a long picture out of the parser's way."""
    name = f"data-{len(page.attachments)}"
    page.attachments = {**page.attachments, name: {uri[1]: uri[2]}}
    return f"attachment:{name}"


def _tables(source: str) -> str:
    """Let table rows through that Jupyter shows as such, and mistune does not.

    A bar in a formula does not end a cell; a row with too many or too few cells is still a row.
    """
    lines = source.split("\n")
    columns = 0
    for number, line in enumerate(lines):
        if not re.match(r" {0,3}\|", line):
            columns = 0
            continue
        line = re.sub(r"(?<!\\)\$[^$]+\$", _without_bars, line)
        if columns:
            cells = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
            cells += [" "] * (columns - len(cells))
            line = (
                "|" + "|".join(cells[:columns]) + "".join(rf"\|{c}" for c in cells[columns:]) + "|"
            )
        elif re.fullmatch(r"[\s|:-]+", line):
            columns = line.strip().strip("|").count("|") + 1
        lines[number] = line
    return "\n".join(lines)


def _without_bars(formula: re.Match) -> str:
    return re.sub(r"(?<!\\)\|", r"\\vert ", formula[0].replace(r"\|", r"\Vert "))


class _Setter:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.depth = 0

    # Blocks -------------------------------------------------------------------------------

    def blocks(self, tokens: list) -> list:
        self.depth += 1
        if self.depth > DEEPEST:
            raise CannotShow("it is nested too deeply")
        nodes = []
        for token in tokens:
            setter = getattr(self, "_" + token["type"], None)
            if setter is not None:
                nodes.extend(setter(token))
            else:
                nodes.append(["par", self.inline([token])])
        self.depth -= 1
        return nodes

    def _blank_line(self, token: dict) -> list:
        return []

    def _paragraph(self, token: dict) -> list:
        """Split a paragraph where a displayed formula or a picture stands."""
        nodes: list = []
        run: list = []
        for child in [*token["children"], None]:
            alone = child is None or child["type"] in ("block_math", "latex_environment", "image")
            if not alone:
                run.append(child)
                continue
            words = self.inline(run)
            while words and words[0] == " ":
                words.pop(0)
            if words:
                nodes.append(["par", words])
            run = []
            if child is not None:
                nodes.append(
                    self.image(child) if child["type"] == "image" else self.formula(child, True)
                )
        return nodes

    _block_text = _paragraph

    def _heading(self, token: dict) -> list:
        return [self.page.heading(token["attrs"]["level"], self.inline(token["children"]))]

    def _thematic_break(self, token: dict) -> list:
        return [["line"]]

    def _block_quote(self, token: dict) -> list:
        return [["quote", self.blocks(token["children"])]]

    def _block_code(self, token: dict) -> list:
        language = (token.get("attrs") or {}).get("info") or ""
        lines = highlighted(token["raw"].rstrip("\n"), (language.split() or [""])[0])
        return [["listing", wrap(lines)]]

    def _list(self, token: dict) -> list:
        attrs = token["attrs"]
        items = []
        for item in token["children"]:
            body = self.blocks(item["children"])
            if item["type"] == "task_list_item":
                box = "☑ " if item["attrs"]["checked"] else "☐ "
                body = [["par", [box, *body[0][1]]], *body[1:]] if body else [["par", [box]]]
            items.append(body)
        kind = "enum" if attrs["ordered"] else "list"
        return [[kind, attrs.get("start", 1), bool(token.get("tight")), items]]

    def _def_list(self, token: dict) -> list:
        nodes = []
        for child in token["children"]:
            if child["type"] == "def_list_head":
                nodes.append(["par", [["strong", self.inline(child["children"])]]])
            else:
                nodes.append(["quote", self.blocks(child["children"])])
        return nodes

    def _table(self, token: dict) -> list:
        head, rows = [], []
        for part in token["children"]:
            if part["type"] == "table_head":
                head = part["children"]
            else:
                rows = [row["children"] for row in part["children"]]
        aligns = [cell["attrs"].get("align") or "left" for cell in head]
        set_row = [[["par", self.inline(cell["children"])]] for cell in head]
        body = [[[["par", self.inline(cell["children"])]] for cell in row] for row in rows]
        return [["table", aligns, [set_row], body]]

    def _block_html(self, token: dict) -> list:
        return from_html(token["raw"], self.page, self.math_text)

    # Inline -------------------------------------------------------------------------------

    def inline(self, tokens: list) -> list:
        self.depth += 1
        if self.depth > DEEPEST:
            raise CannotShow("it is nested too deeply")
        nodes: list = []
        # HTML tags in running text are tokens of their own: what they open, they close later.
        open_tags: list[tuple[str, list]] = []
        for token in tokens:
            if token["type"] != "inline_html":
                nodes.extend(self._inline(token))
                continue
            tag = re.match(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)", token["raw"])
            name = tag[2].lower() if tag else ""
            if name in TAGS and not tag[1]:
                open_tags.append((name, nodes))
                nodes = []
            elif name in TAGS and open_tags and open_tags[-1][0] == name:
                outer = open_tags.pop()[1]
                outer.append([TAGS[name], nodes])
                nodes = outer
            elif name in ("br", "img"):
                nodes.extend(from_html(token["raw"], self.page, self.math_text, inline=True))
            elif not token["raw"].startswith("<!--"):
                nodes.append(token["raw"])
        while open_tags:
            name, outer = open_tags.pop()
            nodes = [*outer, [TAGS[name], nodes]]
        self.depth -= 1
        return nodes

    def _inline(self, token: dict) -> list:
        kind = token["type"]
        if kind == "text":
            return [html.unescape(token["raw"])]
        if kind in ("emphasis", "strong", "strikethrough"):
            return [[kind, self.inline(token["children"])]]
        if kind == "codespan":
            return [["mono", token["raw"]]]
        if kind == "softbreak":
            return [" "]
        if kind == "linebreak":
            return [["newline"]]
        if kind == "link":
            return [["link", token["attrs"]["url"], self.inline(token["children"])]]
        if kind == "image":
            return [self.image(token, inline=True)]
        if kind in ("inline_math", "block_math", "latex_environment"):
            return [self.formula(token, False)]
        if "children" in token:
            return self.inline(token["children"])
        return [str(token.get("raw", ""))]

    def image(self, token: dict, *, inline: bool = False) -> list:
        alt = "".join(_plain(child) for child in token["children"])
        url = token["attrs"]["url"]
        try:
            picture = find_picture(url, alt or "Picture", self.page)
        except CannotShow as problem:
            what = f"Picture {alt!r}" if alt else "Picture"
            return self.page.box(what, problem, url, inline=inline)
        return picture if inline else ["figure", picture]

    def formula(self, token: dict, display: bool) -> list:
        if token["type"] == "latex_environment":
            name, body = token["attrs"]["name"], token["attrs"]["body"]
            latex = f"\\begin{{{name}}}{body}\\end{{{name}}}"
        else:
            latex = token["raw"]
        latex = latex.strip()
        try:
            return formula_node(latex, display, self.page)
        except CannotShow as problem:
            return self.page.box("Formula", problem, latex, inline=not display)

    def math_text(self, text: str) -> list:
        """Set text that stands in HTML, where formulas are formulas but Markdown is not read."""
        inline = _parser().inline
        state = inline.state_cls({})
        state.src = text
        rules = inline.rules
        try:
            inline.rules = list(MATH)
            return self.inline(inline.parse(state))
        finally:
            inline.rules = rules


def formula_node(latex: str, display: bool, page: Page) -> list:
    """Make the node of a formula; raises CannotShow if it cannot be drawn."""
    drawing = page.shared.formulas.draw(latex, display)
    if drawing.width == 0:
        return ["text"]  # Definitions of macros show nothing.
    return [
        "display" if display else "formula",
        page.shared.add_drawing(drawing),
        drawing.width,
        drawing.height,
        drawing.depth,
        latex,
        drawing.tags,
    ]


def _plain(token: dict) -> str:
    if "children" in token:
        return "".join(_plain(child) for child in token["children"])
    return html.unescape(str(token.get("raw", " ")))
