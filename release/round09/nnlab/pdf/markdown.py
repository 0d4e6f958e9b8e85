"""Markdown and HTML as nodes for template.typ.

nbconvert's parser makes HTML of Markdown, as it does for a browser; Beautiful Soup reads that, and
the HTML of outputs. So there is one way for both.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag
from mistune.renderers.html import HTMLRenderer
from nbconvert.filters.markdown_mistune import MarkdownWithMath

from nnlab.pdf.images import find_picture
from nnlab.pdf.lines import highlighted, wrap
from nnlab.pdf.page import CannotShow, Page

# Tags that change how text looks, and the node of template.typ that does so.
LOOKS = {
    "b": "strong", "strong": "strong", "i": "emphasis", "em": "emphasis", "u": "underline",
    "s": "strikethrough", "del": "strikethrough", "sub": "sub", "sup": "super",
    "code": "mono", "kbd": "mono", "tt": "mono",
}  # fmt: skip
HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"]
PARAGRAPHS = ["p", "div", "center", "details", "summary", "section", "article", "figure",
              "figcaption", "dl", "li"]  # fmt: skip
BLOCKS = {*HEADINGS, *PARAGRAPHS, "table", "pre", "ul", "ol", "hr", "blockquote", "dd", "dt"}
INLINE = {*LOOKS, "a", "br", "img", "span", "font", "small", "big", "mark", "input"}
UNSEEN = {"script", "style", "head", "template", "title"}
# Formulas in HTML, displayed, in a line, or as an environment; none of them holds a tag.
NO_TAG = r"(?:[^$<]|<(?![/a-zA-Z!]))"
MATH_IN_HTML = re.compile(
    rf"\$\$({NO_TAG}+)\$\$|(?<!\\)\$({NO_TAG}+)(?<!\\)\$"
    rf"|(\\begin\{{(\w+\*?)\}}{NO_TAG}{{1,2000}}\\end\{{\4\}})"
)
DATA_URI = re.compile(r"data:(image/[\w.+-]+);base64,([A-Za-z0-9+/=]{500,})")
DEEPEST = 80
# mistune's time grows with the square of some texts: for these it is seconds.
LONGEST = 30_000


class _Renderer(HTMLRenderer):
    """Writes formulas as tags of their own, and what is no HTML tag as the text that it is."""

    def inline_math(self, body: str) -> str:
        return f"<tex>{html.escape(body)}</tex>"

    def block_math(self, body: str) -> str:
        return f"<tex display>{html.escape(body)}</tex>"

    def latex_environment(self, name: str, body: str) -> str:
        return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")

    def inline_html(self, source: str) -> str:
        name = re.match(r"</?([a-zA-Z][a-zA-Z0-9]*)", source)
        known = name and name[1].lower() in INLINE or source.startswith("<!--")
        return source if known else html.escape(source)

    def block_html(self, source: str) -> str:
        def tex(found: re.Match) -> str:
            if found[2]:
                return self.inline_math(html.unescape(found[2]))
            return self.block_math(html.unescape(found[1] or found[3]))

        return MATH_IN_HTML.sub(tex, source)


@cache
def _parser() -> MarkdownWithMath:
    return MarkdownWithMath(_Renderer(escape=False, allow_harmful_protocols=True))


def from_markdown(source: str, page: Page) -> list:
    """Set a Markdown text as block nodes; raises CannotShow if it is too long or too deep."""

    def as_attachment(uri: re.Match) -> str:
        name = f"data-{len(page.attachments)}"
        page.attachments = {**page.attachments, name: {uri[1]: uri[2]}}
        return f"attachment:{name}"

    source = DATA_URI.sub(as_attachment, source)  # Long pictures are kept from the parser.
    if len(source) > LONGEST:
        raise CannotShow(f"it is longer than {LONGEST} characters")
    return from_html(_parser()(_mended_tables(source)), page)


def _mended_tables(source: str) -> str:
    """Let table rows through that Jupyter shows as such, and mistune does not.

    A bar in a formula does not end a cell; a row with too many or too few cells is still a row.
    """
    lines, columns = source.split("\n"), 0
    for number, line in enumerate(lines):
        if not re.match(r" {0,3}\|", line):
            columns = 0
            continue
        line = re.sub(
            r"(?<!\\)\$[^$]+\$",
            lambda tex: re.sub(r"(?<!\\)\|", r"\\vert ", tex[0].replace(r"\|", r"\Vert ")),
            line,
        )
        cells = re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))
        if columns:
            cells += [" "] * (columns - len(cells))
            line = "|" + "|".join(cells[:columns]) + r"\|".join(["", *cells[columns:]]) + "|"
        elif re.fullmatch(r"[\s|:-]+", line):
            columns = len(cells)
        lines[number] = line
    return "\n".join(lines)


def from_html(source: str, page: Page) -> list:
    """Set HTML as block nodes: its text, tables, pictures, formulas and simple tags."""
    return _Setter(page).body(BeautifulSoup(f"<div>{source}</div>", "html.parser"))


@dataclass
class _Setter:
    """Walks through HTML; `run` holds the words of the paragraph that is not finished yet."""

    page: Page
    depth: int = 0
    in_line: bool = False
    blocks: list = field(default_factory=list)
    run: list = field(default_factory=list)

    def body(self, children: Iterable) -> list:
        """Set what stands in a block."""
        inner = _Setter(self.page, self.depth)
        inner.walk(children)
        inner.end_paragraph()
        return inner.blocks

    def words(self, tag: Tag) -> list:
        """Set what stands in a line."""
        inner = _Setter(self.page, self.depth, True, self.blocks)
        inner.walk(tag.children)
        return inner.run

    def end_paragraph(self, *block: list) -> None:
        if self.run:
            self.blocks.append(["par", self.run])
        self.run = []
        self.blocks.extend(block)

    def walk(self, children: Iterable) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise CannotShow("it is nested too deeply")
        for child in children:
            if isinstance(child, Tag):
                self.element(child)
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                words = re.sub(r"[ \t\r\n]+", " ", child)
                if self.run[-1:] == [["newline"]] or not (self.run or self.in_line):
                    words = words.lstrip(" ")
                self.run += [words] if words else []
        self.depth -= 1

    def element(self, tag: Tag) -> None:
        name = tag.name
        if name in UNSEEN:
            return
        if name == "br":
            self.run.append(["newline"])
        elif name == "input":
            self.run.append("☑ " if tag.has_attr("checked") else "☐ ")
        elif name in ("img", "tex"):
            make = self.picture if name == "img" else self.formula
            if self.in_line or (name == "tex" and not tag.has_attr("display")):
                self.run.append(make(tag, inline=True))
            else:
                self.end_paragraph(make(tag, inline=False))
        elif (name in LOOKS or name == "a") and not _holds_block(tag):
            look = ["link", str(tag.get("href") or "")] if name == "a" else [LOOKS[name]]
            self.run.append([*look, self.words(tag)])
        elif name == "hr":
            self.end_paragraph(["line"])
        elif name in HEADINGS:
            self.end_paragraph(self.page.heading(int(name[1]), self.words(tag)))
        elif name == "pre":
            language = re.search(r"language-([\w+#.-]+)", str(tag.code))
            rows = wrap(highlighted(tag.get_text().rstrip("\n"), language[1] if language else ""))
            self.end_paragraph(["listing", rows])
        elif name == "dt":
            self.end_paragraph(["par", [["strong", self.words(tag)]]])
        elif name in ("blockquote", "dd"):
            self.end_paragraph(["quote", self.body(tag.children)])
        elif name in ("ul", "ol"):
            self.end_paragraph(self.list(tag))
        elif name == "table":
            self.end_paragraph(*self.table(tag))
        elif name in PARAGRAPHS:
            self.end_paragraph(*self.body(tag.children))
        else:
            self.walk(tag.children)

    def list(self, tag: Tag) -> list:
        parts = [part for part in tag.children if isinstance(part, Tag) or part.strip()]
        items = [self.body(part.children if part.name == "li" else [part]) for part in parts]
        start = re.fullmatch("[0-9]{1,9}", str(tag.get("start")))
        tight = tag.select_one(":scope > li > p") is None
        return ["enum" if tag.name == "ol" else "list", int(start[0]) if start else 1, tight, items]

    def table(self, tag: Tag) -> list:
        head, rows, aligns = [], [], []
        for row in tag.find_all("tr"):
            cells = row.find_all(["td", "th"], recursive=False)
            if row.find_parent("table") is not tag or not cells:
                continue
            is_head = not rows and all(cell.name == "th" for cell in cells)
            filled, sides = [], []
            for cell in cells:
                body = self.body(cell.children)
                span = str(cell.get("colspan", "1"))
                columns = min(int(span), 50) if re.fullmatch("[1-9][0-9]?", span) else 1
                bold = cell.name == "th" and not is_head
                filled += [[["strong", body]] if bold else body] + [[]] * (columns - 1)
                side = re.search("text-align: ?(left|right|center)", str(cell.get("style")))
                sides += [side[1] if side else ""] * columns
            (head if is_head else rows).append(filled)
            aligns = max(aligns, sides, key=len)
        usual = "right" if "dataframe" in tag.get("class", ()) else "left"
        for row in [*head, *rows]:
            row.extend([[]] * (len(aligns) - len(row)))
        return [["table", [side or usual for side in aligns], head, rows]] if aligns else []

    def picture(self, tag: Tag, *, inline: bool) -> list:
        url, alt = str(tag.get("src") or ""), str(tag.get("alt") or "")
        try:
            picture = find_picture(url, alt or "Picture", self.page)
        except CannotShow as problem:
            what = f"Picture {alt!r}" if alt else "Picture"
            return self.page.box(what, problem, url, inline=inline)
        return picture if inline else ["figure", picture]

    def formula(self, tag: Tag, *, inline: bool) -> list:
        latex = tag.get_text().strip()
        try:
            return formula_node(latex, self.page, display=not inline)
        except CannotShow as problem:
            return self.page.box("Formula", problem, latex, inline=inline)


def _holds_block(tag: Tag) -> bool:
    return any(isinstance(part, Tag) and part.name in BLOCKS for part in tag.descendants)


def formula_node(latex: str, page: Page, *, display: bool) -> list:
    """Make the node of a formula; raises CannotShow if it cannot be drawn."""
    drawing = page.formulas.draw(latex, display)
    if drawing.width == 0:
        return ["text"]  # Definitions of macros show nothing.
    name = page.add_file(drawing.svg.encode(), "svg")
    size = drawing.width, drawing.height, drawing.depth
    return ["display" if display else "formula", name, *size, latex, drawing.tags]
