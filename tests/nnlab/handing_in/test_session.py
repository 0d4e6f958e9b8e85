import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel

from nnlab.handing_in import NOBODY, session


@pytest.fixture
def shell(monkeypatch):
    """A session in which the call is the fourth cell that is run."""
    shell = SimpleNamespace(
        kernel=SimpleNamespace(_allow_stdin=True),
        history_manager=SimpleNamespace(input_hist_raw=["", "a", "b", "c = 1", "hand_in()"]),
    )
    monkeypatch.setattr(session, "_shell", lambda: shell)
    return shell


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([(3, "c = 1\n")], False),
        ([(1, "a"), (3, "c = 0")], True),
        ([(2, "c = 1")], True),
        ([], True),
    ],
)
def test_a_cell_that_ran_but_is_not_on_disk_tells_of_an_unsaved_notebook(shell, runs, expected):
    assert session.unsaved(runs) is expected


@pytest.mark.parametrize("history", [["", "hand_in()"], ["", " ", "hand_in()"], [""]])
def test_without_an_earlier_cell_there_is_no_telling(shell, history):
    shell.history_manager.input_hist_raw = history
    assert session.unsaved([]) is False


def test_outside_of_a_notebook_nothing_is_unsaved_or_waited_for(monkeypatch, tmp_path):
    monkeypatch.setattr(session, "_shell", lambda: None)
    monkeypatch.setattr(session.time, "sleep", pytest.fail)
    assert session.unsaved([(1, "x")]) is False
    session.save_notebook(tmp_path)
    assert session.somebody_answers()


def test_saving_is_waited_for_until_the_file_is_whole(shell, monkeypatch, folder):
    def begin():
        (folder / ".~derivation.ipynb").write_bytes(b"the earlier state")
        (folder / "derivation.ipynb").write_bytes(b"half")

    def end():
        (folder / "derivation.ipynb").write_bytes(b"whole")
        (folder / ".~derivation.ipynb").unlink()

    left = [lambda: None, begin, lambda: None, end]
    monkeypatch.setattr(session.time, "sleep", lambda seconds: left.pop(0)())
    session.save_notebook(folder)
    assert left == []
    assert (folder / "derivation.ipynb").read_bytes() == b"whole"


def test_a_frontend_that_does_not_save_is_not_waited_for_long(shell, monkeypatch, folder):
    monkeypatch.setattr(session.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(session, "PATIENCE", 0.1)
    session.save_notebook(folder)


def test_while_nbgrader_runs_nobody_answers(monkeypatch, shell):
    assert session.somebody_answers()
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert not session.somebody_answers()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")
def test_a_kernel_hands_in_where_somebody_answers_and_nowhere_else(folder, exported):
    printed = []

    def run(code, **options):
        printed.clear()
        reply = client.execute_interactive(code, timeout=60, output_hook=hook, **options)
        return reply["content"]["status"], "".join(printed)

    def hook(message):
        if message["msg_type"] in ("stream", "error"):
            printed.append(str(message["content"].get("text", message["content"])))

    def answer(message):
        asked.append(message["content"]["prompt"])
        client.input("1023456")

    asked = []
    nbformat.write(nbformat.v4.new_notebook(), folder / "derivation.ipynb")
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))
    try:
        run("from nnlab import hand_in")
        call = "hand_in('Ada', 'x', 'no such scan', 'no such folder')"
        status, text = run(call, allow_stdin=False)
        assert (status, text) == ("ok", NOBODY + "\n")
        setup = "from nnlab.handing_in import session; session.PATIENCE = session.SHOWN = 0"
        run(setup, allow_stdin=False)
        status, text = run("hand_in()", allow_stdin=True, stdin_hook=answer)
        saved = nbformat.v4.new_code_cell(setup, execution_count=3)  # hand_in() has no number there
        nbformat.write(nbformat.v4.new_notebook(cells=[saved]), folder / "derivation.ipynb")
        _, later = run("hand_in()", allow_stdin=True, stdin_hook=answer)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    assert status == "ok"
    assert "This notebook is not saved: press Ctrl-S" in text
    assert "This notebook is not saved" not in later
    assert [question.strip() for question in asked] == ["Hand in anyway? [y/N]"] * 2
    assert not (folder / "hand_in").exists()


def test_importing_it_loads_no_library():
    code = (
        "import sys, nnlab.handing_in; print(sorted({'pypdf', 'PIL.Image', 'nbformat', 'typst', "
        "'ziamath', 'nbconvert', 'nnlab.handing_in.steps'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['PIL.Image']"  # matplotlib's own
