"""The HTML that notebooks hold: tables, pictures and simple tags in Markdown and in outputs."""

from collections.abc import Callable

from nnlab.pdf.errors import CannotShow
from nnlab.pdf.images import find_picture
from nnlab.pdf.page import Page

# HTML tags that change how text looks, and the node of template.typ that does so.
TAGS = {
    "b": "strong", "strong": "strong", "i": "emphasis", "em": "emphasis", "u": "underline",
    "s": "strikethrough", "del": "strikethrough", "sub": "sub", "sup": "super",
    "code": "mono-like", "kbd": "mono-like", "tt": "mono-like",
}  # fmt: skip
PARAGRAPHS = {"p", "div", "center", "details", "summary", "section", "article", "figure",
              "figcaption", "blockquote", "dl", "dt", "dd", "ul", "ol"}  # fmt: skip
HEADINGS = {f"h{level}": level for level in range(1, 7)}
UNSEEN = {"script", "style", "head", "template", "title"}
DEEPEST = 60


def from_html(
    source: str, page: Page, text: Callable[[str], list], *, inline: bool = False
) -> list:
    """Set HTML: its text, tables, pictures and simple tags; everything else is left aside.

    Parameters
    ----------
    source : str
        HTML from a Markdown cell or an output.
    page : Page
        The notebook that it stands in.
    text : callable
        Makes inline nodes of a piece of text.
    inline : bool
        Whether inline nodes are wanted; else blocks.

    Returns
    -------
    list
        Nodes for template.typ.
    """
    from bs4 import BeautifulSoup

    setter = _Setter(page, text)
    setter.walk(BeautifulSoup(source, "html.parser"), 0)
    if inline:
        return setter.run
    setter.end_paragraph()
    return setter.blocks


class _Setter:
    def __init__(self, page: Page, text: Callable[[str], list]) -> None:
        self.page = page
        self.text = text
        self.blocks: list = []
        self.run: list = []

    def end_paragraph(self) -> None:
        if any(node != " " for node in self.run):
            self.blocks.append(["par", self.run])
        self.run = []

    def walk(self, parent, depth: int) -> None:
        from bs4.element import NavigableString, PreformattedString

        if depth > DEEPEST:
            raise CannotShow("it is nested too deeply")
        for child in parent.children:
            if isinstance(child, PreformattedString):
                continue  # Comments and declarations
            if isinstance(child, NavigableString):
                words = " ".join(str(child).split())
                if words:
                    lead = " " if str(child)[0].isspace() else ""
                    tail = " " if str(child)[-1].isspace() else ""
                    self.run.extend([lead, *self.text(words), tail])
                elif self.run:
                    self.run.append(" ")
            else:
                self.element(child, depth)

    def element(self, tag, depth: int) -> None:
        name = tag.name.lower()
        if name in UNSEEN:
            return
        if name == "br":
            self.run.append(["newline"])
        elif name == "img":
            self.run.append(self.picture(tag))
        elif name == "hr":
            self.end_paragraph()
            self.blocks.append(["line"])
        elif name == "table":
            self.end_paragraph()
            self.blocks.append(self.table(tag))
        elif name == "pre":
            self.end_paragraph()
            self.blocks.append(["listing", [[[line]] for line in tag.get_text().split("\n")]])
        elif name in TAGS or name == "a":
            outer, self.run = self.run, []
            self.walk(tag, depth + 1)
            inner, self.run = self.run, outer
            self.run.append(
                ["link", str(tag.get("href") or ""), inner] if name == "a" else [TAGS[name], inner]
            )
        elif name in HEADINGS:
            self.end_paragraph()
            self.walk(tag, depth + 1)
            self.blocks.append(self.page.heading(HEADINGS[name], self.run))
            self.run = []
        elif name == "li" or name in PARAGRAPHS:
            self.end_paragraph()
            if name == "li":
                self.run.append("• ")
            self.walk(tag, depth + 1)
            self.end_paragraph()
        else:
            self.walk(tag, depth + 1)

    def picture(self, tag) -> list:
        url, alt = str(tag.get("src") or ""), str(tag.get("alt") or "Picture")
        try:
            return find_picture(url, alt, self.page)
        except CannotShow as problem:
            return self.page.box("Picture", problem, url, inline=True)

    def table(self, tag) -> list:
        rows, head = [], []
        for row in tag.find_all("tr"):
            cells = row.find_all(["td", "th"])
            if not cells:
                continue
            is_head = all(cell.name == "th" for cell in cells) and not rows
            filled = []
            for cell in cells:
                body = [["par", self.text(" ".join(cell.get_text(" ").split()))]]
                if cell.name == "th" and not is_head:
                    body = [["par", [["strong", body[0][1]]]]]
                span = str(cell.get("colspan") or "1")
                filled += [body] + [[]] * (min(int(span), 50) - 1 if span.isdigit() else 0)
            (head if is_head else rows).append(filled)
        columns = max((len(row) for row in [*head, *rows]), default=0)
        if not columns:
            return ["text"]
        for row in [*head, *rows]:
            row.extend([[]] * (columns - len(row)))
        return ["table", ["right"] * columns, head, rows]
