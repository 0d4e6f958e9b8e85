"""What students wrote, as HTML that can do nothing in the grader's browser session."""

import bleach
from bs4 import BeautifulSoup
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from coursekit.judging.verdict import METADATA_KEY

TAGS = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "div", "blockquote", "pre", "details"),
    *("summary", "ul", "ol", "li", "dl", "dt", "dd", "figure", "figcaption", "img", "a", "span"),
    *("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("abbr", "b", "code", "del", "em", "i", "kbd", "mark", "s", "small", "strong", "sub", "sup"),
    "u",
}
ATTRIBUTES = {
    "*": ["title"],
    "a": lambda _, name, value: name == "href" and not value.startswith("data:"),
    "img": lambda _, name, value: (
        name in ("alt", "width", "height") or (name == "src" and value.startswith("data:image/"))
    ),
    "ol": ["start"],
    "span": ["class"],  # of coloured code
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan"],
}
PROTOCOLS = {"http", "https", "mailto", "data"}
WITH_CONTENTS = ("script", "style", "template", "iframe", "object", "noscript")
RUN_IN_THE_PAGE = (
    "application/javascript",
    "application/vnd.jupyter.widget-view+json",
    "text/vnd.mermaid",
)


def clean(html: str) -> str:
    """Leave text, tables, pictures and links of HTML, and nothing that runs or takes a name.

    No picture is fetched: an address could end the grader's session, or tell who grades when.

    Parameters
    ----------
    html : str

    Returns
    -------
    str
    """
    soup = BeautifulSoup(html, "html.parser")
    for element in [*soup(WITH_CONTENTS), *soup.select("a.anchor-link")]:
        element.decompose()
    return bleach.clean(
        str(soup), tags=TAGS, attributes=ATTRIBUTES, protocols=PROTOCOLS, strip=True
    )


def clean_outputs(cell: NotebookNode) -> None:
    """Take out of a code cell's outputs what would run in the page that shows it.

    Pictures, SVG too, are shown as pictures, in which nothing runs; text is escaped.

    Parameters
    ----------
    cell : nbformat.NotebookNode
        Changed in place.
    """
    for output in cell.get("outputs", []):
        if "data" not in output:
            continue
        output.metadata = NotebookNode()  # widths and names of files, not all of them escaped
        for kind in RUN_IN_THE_PAGE:
            output.data.pop(kind, None)
        if "text/html" in output.data:
            output.data["text/html"] = clean(output.data["text/html"])


@pass_context
def markdown2html(context, source: str) -> str:
    """Turn Markdown into HTML as nbconvert does; in the formgrader, students' is cleaned.

    Parameters
    ----------
    context : jinja2.runtime.Context
        With the cell in work and nbconvert's resources.
    source : str

    Returns
    -------
    str
    """
    cell = context.get("cell", {})
    renderer = IPythonRenderer(escape=False, attachments=cell.get("attachments", {}))
    html = MarkdownWithMath(renderer=renderer).render(source)
    if not is_formgrader(context.get("resources", {})) or is_ours(cell):
        return html
    return clean(html)


def is_formgrader(resources: dict) -> bool:
    """Tell whether a notebook is shown in the formgrader, and is not made into feedback.

    Parameters
    ----------
    resources : dict
        Of nbconvert.

    Returns
    -------
    bool
    """
    return "submission_id" in resources


def is_ours(cell: NotebookNode) -> bool:
    """Tell whether the kit made a cell: students' own metadata are taken away at grading.

    Parameters
    ----------
    cell : nbformat.NotebookNode

    Returns
    -------
    bool
    """
    return METADATA_KEY in cell.get("metadata", {})
