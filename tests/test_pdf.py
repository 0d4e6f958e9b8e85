"""`coursekit pdf` with notebooks; tests/grading/test_feedback_pdf.py has the feedback."""

import io

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_markdown_cell, new_notebook
from pypdf import PdfReader

from coursekit.cli import main
from coursekit.errors import KitError
from coursekit.pdf import targets


@pytest.fixture
def notebook(tmp_path):
    """Write a notebook with the given Markdown, and return its path."""

    def write(name, source, **metadata):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        nbformat.write(new_notebook(cells=[new_markdown_cell(source)], metadata=metadata), path)
        return path

    return write


def run(*arguments):
    return CliRunner().invoke(main, ["pdf", *map(str, arguments)])


def text(path):
    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def test_each_notebook_becomes_a_pdf_beside_itself(notebook):
    one, two = notebook("one.ipynb", "the first"), notebook("two.ipynb", "the second", title="Sums")
    result = run(one, two)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"Written: {path.with_suffix('.pdf')}" for path in (one, two)
    ]
    assert "the first" in text(one.with_suffix(".pdf"))
    assert text(two.with_suffix(".pdf")).startswith("Sums")
    assert {path.suffix for path in one.parent.iterdir()} == {".ipynb", ".pdf"}


def test_output_and_paper_are_those_that_are_asked_for(notebook, tmp_path):
    path = notebook("one.ipynb", "words")
    assert run(path, "--output", tmp_path / "new" / "pdf", "--paper", "us-letter").exit_code == 0
    page = PdfReader(tmp_path / "new" / "pdf" / "one.pdf").pages[0]
    assert [float(side) for side in page.mediabox[2:]] == [612, 792]
    assert not path.with_suffix(".pdf").exists()


def test_what_had_to_be_boxed_is_told(notebook):
    result = run(notebook("one.ipynb", r"$\oops$ and ![x](gone.png)"))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:] == [
        r"  in a box: one, cell 1: Formula: \oops is not known.",
        "  in a box: one, cell 1: Picture 'x': there is no such file.",
    ]


def test_damaged_notebook_is_told_and_does_not_stop_the_others(notebook):
    good, bad = notebook("good.ipynb", "words"), notebook("bad.ipynb", "")
    bad.write_text("{")
    result = run(bad, good)
    assert result.exit_code == 1
    assert f"{bad} is not a notebook: " in result.stdout
    assert result.stderr == "Error: No PDF could be written of: bad.ipynb.\n"
    assert good.with_suffix(".pdf").exists()
    assert not bad.with_suffix(".pdf").exists()


def test_earlier_pdf_is_replaced_and_that_of_another_program_is_not(notebook):
    path = notebook("one.ipynb", "old words")
    target = path.with_suffix(".pdf")
    assert run(path).exit_code == 0
    notebook("one.ipynb", "new words")
    assert run(path).exit_code == 0
    assert "new words" in text(target)
    target.write_bytes(b"%PDF-1.4 a scan")
    result = run(path)
    assert result.exit_code == 1
    assert f"{target} is there, and not from this command" in result.stdout
    assert target.read_bytes() == b"%PDF-1.4 a scan"


def test_file_in_the_way_of_the_folder_is_told(notebook, tmp_path):
    (tmp_path / "file").write_text("")
    result = run(notebook("one.ipynb", "words"), "--output", tmp_path / "file" / "pdf")
    assert result.exit_code == 1
    assert "one.pdf cannot be written: " in result.stdout


def test_two_notebooks_never_share_a_pdf(notebook, tmp_path):
    one, other = notebook("a/x.ipynb", ""), notebook("b/x.ipynb", "")
    assert list(targets([one, other, one])) == [path.with_suffix(".pdf") for path in (one, other)]
    with pytest.raises(KitError, match=r"would both become .*x\.pdf; rename one"):
        targets([one, other], tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gone.ipynb"], "gone.ipynb"),
        (["one.ipynb", "--student", "11"], "--student is for the feedback"),
        (["round", "other"], "Expected notebooks, or one assignment"),
        (["round", "--output", "x"], "--output is for notebooks"),
        (["round", "--paper", "a3"], "a3"),
    ],
)
def test_wrong_usage(arguments, words):
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr


def test_pdf_can_be_read_as_one_with_tags_and_language(notebook):
    path = notebook("one.ipynb", "# A heading")
    run(path)
    root = PdfReader(io.BytesIO(path.with_suffix(".pdf").read_bytes())).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
