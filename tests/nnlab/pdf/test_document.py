"""The document: what stands on its pages, in which order, and how it can be used."""

import base64
import io
import re
from pathlib import Path

import pypdfium2
import pytest
import typst
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell
from PIL import Image, ImageChops, ImageStat
from pypdf import PdfReader

from nnlab.pdf import Title, export
from nnlab.pdf.formulas import Formulas
from nnlab.pdf.lines import printed, wrap
from nnlab.pdf.markdown import from_markdown
from nnlab.pdf.page import Page
from tests.nnlab.pdf import fuzz
from tests.nnlab.pdf.stress import SVG, TABLE, TRACEBACK, picture, shown, stress_notebook

GOLDEN = Path(__file__).parent / "golden"
TITLE = Title("CS-E4850", "Round 9", "Åsa Example", "123456", "23 November 2026")


def test_everything_stands_in_the_order_of_the_notebook(document, printed):
    pdf = document(
        "# First\n\nsecond", printed("third\n"), new_raw_cell("fourth"), "- fifth\n- sixth"
    )
    places = [
        pdf.flat.index(word) for word in ["First", "second", "third", "fourth", "fifth", "sixth"]
    ]
    assert places == sorted(places)
    assert pdf.boxed == ()


def test_the_title_block_and_the_heads_name_the_student(document):
    pdf = document("# A\n\n" + "text\n\n" * 80, title=TITLE)
    for part in ("CS-E4850", "Round 9", "Åsa Example", "123456", "23 November 2026"):
        assert part in pdf.pages[0]
    assert "Åsa Example · 123456" in " ".join(pdf.pages[1].split())
    assert "notebook" in pdf.pages[1]
    assert f"page 2 of {len(pdf.pages)}" in pdf.pages[1]
    assert pdf.reader.metadata.title == "Round 9"
    assert pdf.reader.metadata.author == "Åsa Example"


def test_several_notebooks_are_one_document_with_one_outline():
    notebooks = [
        (name, new_notebook(cells=[new_markdown_cell(text)]), None)
        for name, text in (("one", "# One\n\n## Part"), ("two", "no heading"), ("three", "# Three"))
    ]
    pdf = export(notebooks, title=TITLE).pdf
    reader = PdfReader(io.BytesIO(pdf))
    texts = [page.extract_text() for page in reader.pages]
    assert len(texts) == 4
    assert [entry.title for entry in reader.outline if not isinstance(entry, list)] == [
        "One",
        "two",
        "Three",
    ]
    for number, (name, text) in enumerate(zip(("one", "two", "three"), texts[1:], strict=True), 2):
        assert name in text
        assert f"page {number} of 4" in text


def test_headings_are_bookmarks_and_skip_no_level(document):
    pdf = document("## Begin", "#### Deep", "# Top", "### Deep again")
    assert pdf.outline() == [(1, "Begin"), (2, "Deep"), (1, "Top"), (2, "Deep again")]


def test_the_file_is_tagged_and_every_formula_and_picture_has_words(document):
    pdf = document(
        "# T $x_1$\n\n$$y^2$$",
        new_code_cell("p", outputs=[shown(image_png=picture())]),
        f"![a red box](data:image/png;base64,{picture()})",
    )
    root = pdf.reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    assert pdf.alternatives() == ["x_1", "y^2", "Figure: output of cell 2", "a red box"]


@pytest.mark.parametrize(("paper", "size"), [("a4", (595, 842)), ("us-letter", (612, 792))])
def test_paper(document, paper, size):
    box = document("x", paper=paper).reader.pages[0].mediabox
    assert (round(box.width), round(box.height)) == size


def glyphs_outside(pdf):
    """Characters whose boxes reach beyond the text's column."""
    outside = []
    for page in pypdfium2.PdfDocument(pdf.pdf):
        width = page.get_size()[0]
        text = page.get_textpage()
        for number in range(text.count_chars()):
            left, _, right, _ = text.get_charbox(number)
            if right > (width + 478) / 2 + 1 or (left < (width - 478) / 2 - 45 and right > left):
                outside.append(text.get_text_range(number, 1))
    return outside


@pytest.mark.parametrize("paper", ["a4", "us-letter"])
def test_nothing_runs_out_of_the_page(document, printed, paper):
    pdf = document(
        f"{'w' * 400} `{'c' * 400}` $\\foo{{{'a' * 300}}}$\n\n$$\\bad{{{'b' * 400}}}$$",
        "$$" + "+".join(f"x_{{{n}}}" for n in range(90)) + "$$",
        "| a | b |\n|---|---|\n| " + "t" * 300 + " | b |",
        new_code_cell("call(" + ", ".join(f"argument_{n}" for n in range(60)) + ")\n" + "y" * 500),
        printed("z" * 1000 + "\n"),
        printed("word " * 300, "stderr"),
        new_code_cell(
            "e", outputs=[new_output("error", ename="E", evalue="v" * 300, traceback=[])]
        ),
        paper=paper,
    )
    assert glyphs_outside(pdf) == []


def test_long_lines_go_on_and_lose_nothing():
    ((*rows,),) = wrap([[("keyword", "x" * 100), ("", " " + "y" * 80)]])
    assert len(rows) == 3
    assert "".join(text for row in rows for _, text in row) == "x" * 100 + " " + "y" * 80


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a\r\nb\n", ["a", "b"]),
        ("  0%\r 50%\r100%\n", ["100%"]),
        ("longer\rab\n", ["abnger"]),
        ("abc\b\bX\n", ["aX"]),
        ("\b\bstart", ["start"]),
        ("one\n\ntwo", ["one", "", "two"]),
    ],
)
def test_printed_lines_are_what_a_terminal_shows_in_the_end(text, lines):
    assert ["".join(text for _, text in line) for line in printed(text)] == lines


def test_colours_of_a_terminal_stay_and_its_other_sequences_go():
    ((red, plain, bold),) = printed(
        "\x1b[31mred\x1b[0m \x1b[2Kplain\x1b[1m bold\x1b[0m\x1b]0;title\x07"
    )
    assert re.fullmatch("#[0-9a-f]{6}", red[0])
    assert red[1] == "red"
    assert plain == ("", " plain")
    assert bold == ("bold", " bold")


def test_markdown_is_set_with_the_colours_of_programs_lists_and_html():
    source = "```python\nreturn 1\n```\n\n- a <b>$x$</b>  \n  c\n\nterm\n: told"
    listing, items, term, told = from_markdown(source, Page(Formulas()))
    assert ("keyword", "return") in listing[1][0][0]
    kind, _, tight, ((paragraph,),) = items
    assert (kind, tight) == ("list", True)
    assert [run if isinstance(run, str) else run[0] for run in paragraph[1]] == [
        "a ",
        "strong",
        "newline",
        "c",
    ]
    assert (term, told) == (["par", [["strong", ["term"]]]], ["quote", [["par", ["told"]]]])


def test_formulas_in_html_are_formulas_and_prices_are_not(document):
    pdf = document(
        "<div>a $x &lt; y$ <b>$$z$$</b></div>\n\n<p>\\begin{align}a &amp;= b\\end{align}</p>\n\n"
        "<p>for $5</p><p>or $6</p>"
    )
    assert pdf.alternatives() == ["x < y", "z", "\\begin{align}a &= b\\end{align}"]
    assert "for $5 or $6" in pdf.flat


def test_a_traceback_is_in_colour_and_a_warning_has_its_own_look(document, printed):
    error = new_code_cell(
        "e", outputs=[new_output("error", ename="E", evalue="bad", traceback=TRACEBACK)]
    )
    pdf = document(error, printed("careful\n", "stderr"))
    assert "ValueError: bad" in pdf.flat
    assert "careful" in pdf.flat
    assert "[0;31m" not in pdf.text
    (page,) = pypdfium2.PdfDocument(pdf.pdf)
    colours = page.render(scale=1).to_pil().convert("RGB").getcolors(1 << 20)
    reddish = [count for count, (r, g, b) in colours if r > g + 60 and r > b + 60]
    assert sum(reddish) > 50


def test_pieces_of_one_stream_are_one_text(document):
    outputs = [new_output("stream", name="stdout", text=text) for text in ("hal", "ves\n")]
    assert "halves" in document(new_code_cell("x", outputs=outputs)).text


def test_huge_outputs_are_cut_with_a_note(document, printed):
    pdf = document(printed("\n".join(map(str, range(20_000)))), printed("x" * 2_000_000))
    assert "19850 lines are left out here" in pdf.flat
    assert "1600000 characters and" in pdf.flat
    assert "19999" in pdf.flat
    assert len(pdf.pages) < 12


def test_tables_of_pandas_and_of_markdown_are_tables(document):
    frame = new_code_cell("df", outputs=[shown(text_html=TABLE, text_plain="  name value")])
    pdf = document(
        frame, "| $p(y|x)$ | b |\n|:--|--:|\n| one | $\\|x\\|$ |\n| short |\n| 1 | 2 | 3 |"
    )
    assert "alpha 1.25" in pdf.flat
    assert "-3.50" in pdf.flat
    assert "color: red" not in pdf.flat
    assert pdf.boxed == ()
    assert "|" not in pdf.flat.replace("2 | 3", "")


def test_other_html_is_shown_by_its_plain_text_if_that_says_something(document):
    saying = shown(text_html="<b>html</b>", text_plain="plain words")
    bare = shown(text_html="<b>html</b> words", text_plain="<IPython.core.display.HTML object>")
    text = document(new_code_cell("x", outputs=[saying, bare])).flat
    assert "plain words" in text
    assert "html words" in text
    assert "IPython" not in text


@pytest.mark.parametrize(
    "cell",
    [
        "![x](attachment:my%20pic.png)",
        "![x](beside%20it.png)",
        "![x](sub/../drawn.svg)",
        f"![x](data:image/png;base64,{picture()})",
        "<img src='drawn.svg' alt='x'>",
    ],
)
def test_pictures_are_found(document, tmp_path, cell):
    (tmp_path / "drawn.svg").write_text(SVG, "utf-8")
    (tmp_path / "sub").mkdir()
    Image.new("RGB", (30, 20), "navy").save(tmp_path / "beside it.png")
    cell = new_markdown_cell(cell, attachments={"my pic.png": {"image/png": picture()}})
    pdf = document(cell, folder=tmp_path)
    assert pdf.boxed == ()
    assert pdf.alternatives() == ["x"]
    assert min(image.crop((0, 60, 595, 700)).getextrema()[0] for image in pdf.images()) < 240


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("gone.png", "there is no such file"),
        ("../secret.png", "outside of the notebook's folder"),
        ("%2e%2e/secret.png", "outside of the notebook's folder"),
        ("/etc/passwd", "outside of the notebook's folder"),
        ("link.png", "outside of the notebook's folder"),
        ("file:///etc/passwd", "on the internet"),
        ("https://example.com/x.png", "on the internet"),
        ("//example.com/x.png", "on the internet"),
        ("attachment:none.png", "no such attachment"),
        ("data:image/png;base64,AAAA", "not a picture"),
        ("data:image/png;base64,%", "damaged"),
        ("text.png", "not a picture"),
        (".", "there is no such file"),
    ],
)
def test_what_is_no_picture_of_the_folder_is_boxed(document, tmp_path, url, reason):
    folder = tmp_path / "folder"
    folder.mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "secret.png")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "text.png").write_text("text", "utf-8")
    pdf = document("before", f"![x]({url}) after", folder=folder)
    (sentence,) = pdf.boxed
    assert sentence.startswith("notebook, cell 2: Picture 'x': ")
    assert reason in sentence
    assert "after" in pdf.flat
    assert pdf.alternatives() == []


def test_a_photo_is_made_smaller_and_turned_upright(document, tmp_path):
    photo = Image.new("RGB", (4000, 3000), "white")
    photo.paste("black", (0, 0, 4000, 200))  # The right edge, once it is turned
    exif = photo.getexif()
    exif[0x0112] = 6
    photo.save(tmp_path / "photo.jpg", exif=exif)
    pdf = document("![x](photo.jpg)", folder=tmp_path)
    ((picture_file,),) = [page.images for page in pdf.reader.pages]
    assert picture_file.image.size == (1800, 2400)
    assert picture_file.image.getpixel((1790, 1200))[0] < 50


@pytest.mark.parametrize(
    "svg",
    [
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>"
        "<image href='/etc/hostname'/></svg>",
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><image width='9' height='9' "
        "href='document.json'/></svg>",
        '<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">'
        + "".join(
            f'<!ENTITY {y} "{f"&{x};" * 9}">' for x, y in zip("bcdefgh", "cdefghi", strict=True)
        )
        + "]><svg xmlns='http://www.w3.org/2000/svg'><text>&i;</text></svg>",
        "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><filter id='f' width='9999'>"
        "<feGaussianBlur stdDeviation='9'/></filter><rect filter='url(#f)' width='9'/></svg>",
        "<svg broken",
    ],
)
def test_a_hostile_or_broken_svg_is_boxed_and_the_rest_is_kept(document, svg):
    outputs = [shown(**{"image_svg+xml": svg}), new_output("stream", name="stdout", text="kept")]
    pdf = document("before", new_code_cell("draw()", outputs=outputs), "after")
    assert len(pdf.boxed) == 1
    assert pdf.boxed[0].startswith("notebook, cell 2: ")
    for word in ("before", "draw()", "kept", "after"):
        assert word in pdf.flat


def test_scripts_in_an_svg_do_nothing(document):
    svg = SVG.replace("<rect", "<script>alert(1)</script><rect onload='alert(1)'")
    pdf = document(new_code_cell("x", outputs=[shown(**{"image_svg+xml": svg})]))
    assert pdf.boxed == ()
    assert b"JavaScript" not in pdf.pdf


def test_a_bomb_of_pixels_is_boxed(document, monkeypatch):
    monkeypatch.setattr("nnlab.pdf.images.MOST_PIXELS", 1000)
    pdf = document(new_code_cell("x", outputs=[shown(image_png=picture(size=(40, 40)))]))
    assert "million pixels" in pdf.boxed[0]


HOSTILE = [
    '#import "@preview/x:1.0.0"',
    '#read("/etc/passwd")',
    "`#panic()`",
    "```",
    '"quoted" \\" #("x")',
    "$ #x $",
    "= no heading",
    "/* */ // <label> @ref",
    '[#eval("1")]',
    "\\u{41}",
    "#set page(1pt)",
    "\ud800 lone",
    "nul \x00",
    "\u202eturned",
    "שלום",
    "a\u0301",
    "{{ jinja }} {% x %}",
    "%PDF",
    "]]>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(document, printed, text):
    pdf = document(
        text,
        printed(text + " end"),
        new_code_cell(text),
        new_raw_cell(text),
        title=Title(text, text, text, text, text),
        name=text,
    )
    assert pdf.flat.count("end") >= 1
    assert "root:" not in pdf.flat
    assert len(pdf.pages) == 1


def test_what_no_font_draws_gets_its_number(document, printed):
    pdf = document("# \u0378 heading", printed("\x07 and \ud800"), new_code_cell("'\u0379'"))
    for placeholder in ("⟨U+0378⟩", "⟨U+0007⟩", "⟨U+D800⟩", "⟨U+0379⟩"):
        assert placeholder in pdf.flat


def test_what_cannot_be_shown_stands_in_a_box_with_its_source(document):
    odd = new_code_cell("x", outputs=[shown(application_odd="odd source")])
    odd_cell = {"cell_type": "odd", "source": "its text", "metadata": {}}
    exported = document("$\\frac{a}{$ and $$\\unknown$$", odd)
    assert exported.boxed == (
        "notebook, cell 1: Formula: a closing brace is missing.",
        "notebook, cell 1: Formula: \\unknown is not known.",
        "notebook, cell 2: Output: it only comes as application/odd.",
    )
    for source in ("\\frac{a}{", "\\unknown", "odd source"):
        assert source in exported.flat
    notebook = new_notebook()
    notebook.cells = [odd_cell]
    assert "its type, 'odd', is not known" in export([("n", notebook, None)]).boxed[0]


@pytest.mark.parametrize(
    "text", ["words " * 6000 + "last", "> " * 60 + "last", "[" * 9000 + "last"]
)
def test_a_text_that_cannot_be_set_is_there_as_it_is_written(document, text):
    pdf = document(text)
    assert "last" in pdf.flat
    assert pdf.flat.count("words") == text.count("words")


def test_a_long_picture_in_a_text_is_no_long_text(document):
    noise = io.BytesIO()
    Image.effect_noise((200, 200), 90).save(noise, "PNG")
    data = base64.b64encode(noise.getvalue()).decode()
    assert len(data) > 40_000
    pdf = document(f"before ![x](data:image/png;base64,{data}) after")
    assert pdf.boxed == ()
    assert pdf.alternatives() == ["x"]


def test_macros_last_across_cells(document):
    assert document("$\\newcommand{\\R}{\\mathbb{R}}$", "$x \\in \\R$").boxed == ()


def test_folded_cells_are_shown_and_counts_and_locked_cells_too(document):
    folded = new_code_cell(
        "folded = 1",
        execution_count=17,
        metadata={"jupyter": {"source_hidden": True, "outputs_hidden": True}},
        outputs=[new_output("stream", name="stdout", text="hidden output")],
    )
    locked = new_code_cell("locked = 1", metadata={"nbgrader": {"locked": True}})
    text = document(folded, locked).flat
    for part in ("folded = 1", "[17]", "hidden output", "locked = 1"):
        assert part in text


def test_headings_short_cells_and_their_figures_stand_on_one_page(document):
    code = new_code_cell(
        "\n".join(f"code_{n}" for n in range(12)),
        outputs=[shown(image_png=picture(size=(200, 150)))],
    )
    for lines in range(14, 38, 3):
        pdf = document("\n\n".join(["line"] * lines), "## Heading", code)
        holding = {n for n, page in enumerate(pdf.pages) if "code_" in page or "Heading" in page}
        holding |= {n for n, page in enumerate(pdf.reader.pages) if len(page.images)}
        assert len(holding) == 1


def test_damaged_notebooks_still_end_in_a_pdf():
    fuzz.try_notebooks(12, stress_notebook(), seed=3)


def test_an_export_looks_as_it_did():
    exported = export([("stress", stress_notebook(), None)], title=TITLE)
    pages = [
        page.render(scale=0.6).to_pil().convert("L") for page in pypdfium2.PdfDocument(exported.pdf)
    ]
    goldens = sorted(GOLDEN.glob("*.png"))
    assert len(pages) == len(goldens) > 1
    for page, golden in zip(pages, goldens, strict=True):
        with Image.open(golden) as expected:
            difference = ImageStat.Stat(ImageChops.difference(page, expected.convert("L")))
        assert difference.mean[0] < 1.0, golden.name


def test_a_panic_of_typst_costs_one_cell_and_not_the_document(document, monkeypatch):
    class PanicException(BaseException):
        """As Rust's arrives in Python."""

    compiled = typst.compile

    def panic(main, *, root=None, **options):
        if root and '"quote"' in (root / "document.json").read_text("utf-8"):
            raise PanicException("index out of bounds")
        return compiled(main, root=root, **options)

    monkeypatch.setattr(typst, "compile", panic)
    pdf = document("before", "> dangerous", "after")
    assert len(pdf.boxed) == 1
    assert "Typst gave up: index out of bounds" in pdf.boxed[0]
    for word in ("before", "dangerous", "after"):
        assert word in pdf.flat


def test_an_interrupt_ends_the_export(document, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(typst, "compile", interrupt)
    with pytest.raises(KeyboardInterrupt):
        document("before")
