"""A notebook with a little of everything, and much of what goes wrong."""

import base64
import io

from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
    new_raw_cell,
)
from PIL import Image

SVG = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='120' height='40'>"
    "<rect width='120' height='40' fill='#cde'/></svg>"
)
TRACEBACK = [
    "\x1b[0;31m-----------\x1b[0m",
    "\x1b[0;31mValueError\x1b[0m       Traceback (most recent call last)",
    "\x1b[0;32m----> 1\x1b[0m \x1b[38;5;28;01mraise\x1b[39;00m ValueError(\x1b[33m'bad'\x1b[39m)",
    "\x1b[0;31mValueError\x1b[0m: bad",
]
TABLE = (
    "<div><style>th {color: red}</style><table class='dataframe'><thead><tr><th></th>"
    "<th>name</th><th>value</th></tr></thead><tbody><tr><th>0</th><td>alpha</td><td>1.25</td>"
    "</tr><tr><th>1</th><td>beta</td><td>-3.50</td></tr></tbody></table></div>"
)


def picture(kind: str = "PNG", size: tuple[int, int] = (80, 40), colour: str = "teal") -> str:
    """A picture of one colour, as base64."""
    data = io.BytesIO()
    Image.new("RGB", size, colour).save(data, kind)
    return base64.b64encode(data.getvalue()).decode()


def shown(**data: str):
    """An output, its forms by names such as ``image_png``."""
    forms = {name.replace("_", "/", 1): content for name, content in data.items()}
    return new_output("display_data", data=forms)


def stress_notebook():
    """The notebook; the same on every call but for the ids of its cells."""
    cells = [
        new_markdown_cell(
            "# Stress: *all* of $x_i$\n\nText with **strong**, ~~struck~~, `code`, [a link]"
            '(https://example.com), H<sub>2</sub>O, &copy;, vector<int>, #import "x", '
            '`#read("/etc/passwd")`, \\$5, @ref <label>, a<br>break.\n\n'
            "$$\\newcommand{\\R}{\\mathbb{R}} E = \\frac{1}{m}\\sum_{j=1}^m -t_j \\cdot "
            "\\log y_j \\tag{1}$$\nwhere $y \\in \\R^n$."
        ),
        new_markdown_cell(
            "### A level was skipped\n\n1. one\n2. two\n   - nested $a^2$\n\n- [x] done\n- [ ] open"
            "\n\n> A quote\n\n---\n\n"
            "| symbol | value |\n|:--|--:|\n| $p(y|x)$ | 1.5 |\n| `W1` | 2 |"
        ),
        new_markdown_cell("Broken $\\frac{a}{$ inline.\n\n$$\\unknown + 1$$\n\n![gone](gone.png)"),
        new_markdown_cell(
            "![drawn](attachment:my%20pic.png)",
            attachments={"my pic.png": {"image/png": picture(colour="red")}},
        ),
        new_code_cell(
            "def forward(x):\n    '''Text'''\n    return logistic(x)  # a remark\n"
            + "long_name = ["
            + ", ".join(f"value_{n}" for n in range(16))
            + "]",
            execution_count=3,
            outputs=[
                new_output("stream", name="stdout", text="  0%\r 50%\r100% done\n"),
                new_output("stream", name="stderr", text="a warning\n"),
                new_output("error", ename="ValueError", evalue="bad", traceback=TRACEBACK),
            ],
        ),
        new_code_cell(
            "outputs",
            execution_count=4,
            outputs=[
                shown(text_html=TABLE, text_plain="  name value"),
                shown(image_png=picture(size=(200, 80))),
                shown(**{"image_svg+xml": SVG}),
                shown(image_jpeg=picture("JPEG", colour="orange")),
                shown(image_png="damaged"),
                shown(**{"application_odd": "what"}),
                shown(text_latex="$\\displaystyle x^{2}$"),
            ],
        ),
        new_raw_cell("raw text"),
        new_markdown_cell("No glyph: 中, control \x07, שלום, ✓ 😀"),
    ]
    return new_notebook(cells=cells)
