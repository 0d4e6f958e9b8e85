import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.preprocessors import Execute

from coursekit.grading.execute import BoundedExecute
from coursekit.judging import wire
from coursekit.judging.preprocessors import MIME


@pytest.fixture
def run(tmp_path):
    """Run the given cells and return them."""

    def run_cells(*sources, tags=(), **limits):
        cells = [new_code_cell(source, metadata={"tags": list(tags)}) for source in sources]
        notebook = new_notebook(cells=[*cells, new_markdown_cell("The end.")])
        bounded = BoundedExecute(**limits)
        bounded.preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
        return notebook.cells

    return run_cells


def last_words(cell):
    """Return name and text of the last error of a cell, or None."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    return (errors[-1].ename, errors[-1].evalue) if errors else None


def test_quick_notebook_runs_as_ever(run):
    first, second, _ = run("x = 1", "print(x + 1)")
    assert first.outputs == []
    assert second.outputs[0].text == "2\n"


def test_endless_loop_is_stopped_and_the_kernel_goes_on(run):
    loop, after, _ = run("x = 1\nwhile True:\n    pass", "print(x)", cell_timeout=1)
    assert last_words(loop) == (
        "Stopped",
        "this cell ran longer than 1 s. Is there a loop that never ends?",
    )
    assert after.outputs[0].text == "1\n"


def test_cells_are_not_run_once_the_notebook_used_up_its_time(run):
    calls = ["f()"] * 8
    cells = run(
        "def f():\n    while True:\n        pass", *calls, cell_timeout=2, notebook_timeout=3
    )
    names = [last_words(cell)[0] for cell in cells[1:9]]
    assert names == ["Stopped"] * 2 + ["Not run"] * 6
    assert last_words(cells[2])[1] == "the notebook used up its 3 s."
    assert last_words(cells[8]) == ("Not run", "the notebook used up its 3 s.")
    assert cells[8].execution_count is None


def test_dead_kernel_ends_the_notebook_but_not_the_grading(run):
    before, death, after, _ = run("print(1)", "import os\nos._exit(1)", "print(2)")
    assert before.outputs[0].text == "1\n"
    assert last_words(death) == ("Stopped", "the kernel died while it ran this cell.")
    assert last_words(after) == ("Not run", "the kernel died in an earlier cell.")


def test_loop_that_swallows_interrupts_ends_the_notebook(run):
    stubborn = (
        "import signal, time\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "while True:\n    time.sleep(0.1)"
    )
    loop, after, _ = run(stubborn, "print(2)", cell_timeout=0.5, iopub_timeout=1)
    assert last_words(loop) == ("Stopped", "this cell ran too long and could not be interrupted.")
    assert last_words(after) == ("Not run", "an earlier cell could not be stopped.")


def test_student_cannot_keep_a_cell_from_running(run):
    cell, _ = run("1 / 0", tags=["skip-execution"])
    assert last_words(cell)[0] == "ZeroDivisionError"


def test_messages_that_cannot_be_read_end_the_notebook_with_a_sentence(monkeypatch):
    def unreadable(self, cell, resources, index):
        raise KeyError("msg_type")

    monkeypatch.setattr(Execute, "preprocess_cell", unreadable)
    execute = BoundedExecute()
    execute._used, execute._stopped = 0.0, None
    cells = [new_code_cell("1"), new_code_cell("2")]
    for index, cell in enumerate(cells):
        execute.preprocess_cell(cell, {}, index)
    assert [cell.outputs[0].ename for cell in cells] == ["Stopped", "Not run"]
    assert "cannot be read" in cells[0].outputs[0].evalue


def test_answer_as_deep_as_the_judge_reads_is_no_flood(run):
    """Whatever is too deep for the judge is for the judge to say."""
    value = 1.0
    for _ in range(wire.MAX_DEPTH):
        value = [value]
    content = {MIME: {"nonce": "0", "answers": [{"value": wire.encode(value)}]}}
    (cell, _) = run(f"display({content!r}, raw=True)")
    assert [output.output_type for output in cell.outputs] == ["display_data"]


def test_data_nested_deeper_than_any_output_are_left_out(run):
    (cell, _) = run(
        "x = 1\nfor _ in range(100):\n    x = [x]\ndisplay({'application/json': x}, raw=True)"
    )
    assert [output.output_type for output in cell.outputs] == ["stream"]
