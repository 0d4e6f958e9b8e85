import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from nnlab.handing_in.cells import left_to_do, scan_pages
from nnlab.handing_in.released import CELLS


def cell_of(notebook, name):
    return next(cell for cell in notebook.cells if cell.id == name)


def error(name, text=""):
    return new_output("error", ename=name, evalue=text, traceback=[])


@pytest.mark.parametrize("name", CELLS)
def test_nothing_is_left_to_do_in_an_answered_notebook(notebooks, name):
    assert left_to_do(name, notebooks[name]) == []


@pytest.mark.parametrize("name", CELLS)
def test_a_notebook_as_released_is_one_line(released, name):
    assert left_to_do(name, released[name]) == ["nothing is answered yet"]


@pytest.mark.parametrize(
    ("name", "source", "line"),
    [
        ("loss-code", "", "3. The loss: no code yet"),
        ("loss-code", "# only a comment", "3. The loss: no code yet"),
        (
            "loss-code",
            "def loss():\n    raise NotImplementedError('x')",
            "3. The loss: no code yet",
        ),
        ("inside-answer", " \n", "8. A look inside: no written answer yet"),
        ("inside-answer", "YOUR ANSWER HERE", "8. A look inside: no written answer yet"),
    ],
)
def test_an_unanswered_cell_is_named_by_its_section(notebooks, name, source, line):
    cell_of(notebooks["classification"], name).source = source
    assert left_to_do("classification", notebooks["classification"]) == [line]


def test_every_stub_of_the_release_counts_as_unanswered(released, notebooks):
    for name, notebook in notebooks.items():
        for cell in notebook.cells:
            stub = cell_of(released[name], cell.id).source
            if stub != cell.source and cell.id != "extra-code":
                answer, cell.source = cell.source, stub
                assert len(left_to_do(name, notebook)) == 1, cell.id
                cell.source = answer


def test_code_and_text_of_a_section_share_a_line(notebooks):
    for name in ("stage3-code", "stage3-derivation"):
        cell_of(notebooks["derivation"], name).source = ""
    [line] = left_to_do("derivation", notebooks["derivation"])
    assert line == (
        "Stage 3: from the logits to the hidden outputs: no written answer and no code yet"
    )


def test_text_below_the_stub_is_an_answer(released, notebooks):
    cell = cell_of(notebooks["derivation"], "drawing")
    cell.source = cell_of(released["derivation"], "drawing").source + "\n\n![](attachment:a.png)"
    assert left_to_do("derivation", notebooks["derivation"]) == []


def test_the_optional_cell_may_stay_as_it_is(released, notebooks):
    source = cell_of(released["derivation"], "extra-code").source
    cell_of(notebooks["derivation"], "extra-code").source = source
    cell_of(notebooks["derivation"], "extra-check").outputs = [error("NotImplementedError")]
    assert left_to_do("derivation", notebooks["derivation"]) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CheckFailed", "a check is not satisfied"),
        ("NameError", "the output is an error (NameError)"),
    ],
)
def test_an_error_is_one_line_for_its_section(notebooks, name, words):
    cell_of(notebooks["optimisation"], "training-check").outputs = [error(name), error(name)]
    assert left_to_do("optimisation", notebooks["optimisation"]) == [
        f"3. The training loop: {words}"
    ]


def test_cells_never_run_are_counted(notebooks):
    for name in ("sweep-check", "final-check"):
        cell_of(notebooks["optimisation"], name).execution_count = None
    [line] = left_to_do("optimisation", notebooks["optimisation"])
    assert line.startswith("2 cells were never run, the first under “5. Which learning rate?”; ")


def test_cells_run_out_of_order_are_told(notebooks):
    cell_of(notebooks["optimisation"], "training-code").execution_count = 999
    [line] = left_to_do("optimisation", notebooks["optimisation"])
    assert line.startswith("3. The training loop: a cell was run before one above it; ")


def test_gaps_comments_and_the_call_itself_do_not_matter(notebooks):
    notebook = notebooks["optimisation"]
    for cell in notebook.cells[20:]:
        if cell.cell_type == "code":
            cell.execution_count += 50
    notebook.cells.append(new_code_cell("# a note"))
    notebook.cells.append(new_code_cell("from nnlab import hand_in\nhand_in()"))
    notebook.cells.append(new_code_cell("nnlab.hand_in()", execution_count=1))
    assert left_to_do("optimisation", notebook) == []


def test_missing_cells_are_told(notebooks):
    notebook = notebooks["classification"]
    notebook.cells = [cell for cell in notebook.cells if not cell.id.startswith("gradient-")]
    [line] = left_to_do("classification", notebook)
    assert line.startswith(
        "8 cells are missing (gradient-code, gradient-check-code, gradient-W1, ...)"
    )


def test_a_cell_that_is_there_twice_is_told(notebooks):
    notebook = notebooks["classification"]
    notebook.cells.append(cell_of(notebook, "inside-answer").copy())
    [line] = left_to_do("classification", notebook)
    assert line.startswith("there twice: inside-answer;")


def test_a_heading_in_an_answer_is_no_section(notebooks):
    notebook = notebooks["derivation"]
    cell_of(notebook, "stage2-derivation").source = "# My own heading"
    cell_of(notebook, "stage2-code").source = ""
    assert left_to_do("derivation", notebook) == [
        "Stage 2: from the loss to the logits: no code yet"
    ]


def test_a_long_heading_is_cut(notebooks):
    notebook = notebooks["derivation"]
    notebook.cells[0:0] = [new_markdown_cell("# " + "x" * 500), new_code_cell("1 / 0")]
    [line] = left_to_do("derivation", notebook)
    assert len(line) < 200


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("scan, page 2", [2]),
        ("“Scan, page 3” and scan, p. 12", [3, 12]),
        ("see scan page 4", [4]),
        ("scan, pages 2-4", [4]),
        ("on page 5 of my scan", [5]),
        ("the scanner has page 7", []),
    ],
)
def test_pages_of_the_scan_are_read_from_answers_only(notebooks, text, pages):
    notebook = notebooks["derivation"]
    cell_of(notebook, "stage2-derivation").source = text
    assert scan_pages(notebook) == pages
