import io
import subprocess
import sys

import pytest

from nnlab.__main__ import main

ME = ["--name", "Ada", "--student-number", "1023456"]


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO())


def test_it_hands_in_and_exits_with_0(folder, capsys):
    assert main(["hand-in", *ME, str(folder)]) == 0
    assert (folder / "hand_in" / "round09_1023456.zip").is_file()
    assert capsys.readouterr().err == ""


def test_what_is_missing_ends_it_unless_anyway(folder, capsys):
    (folder / "optimisation.ipynb").unlink()
    assert main(["hand-in", *ME, str(folder)]) == 1
    out, err = capsys.readouterr()
    assert "optimisation.ipynb: it is not here" in out
    [line] = err.splitlines()
    assert line.startswith("Nothing was written, because of what is named above; ")
    assert not (folder / "hand_in").exists()
    assert main(["hand-in", *ME, "--anyway", str(folder)]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--name", "Ada"], "your student number is missing"),
        (["--student-number", "?"], "? is no student number"),
    ],
)
def test_without_a_usable_number_it_exits_with_1(folder, capsys, arguments, words):
    assert main(["hand-in", str(folder), *arguments]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert words in line


def test_scans_are_taken_in_the_order_given(folder, capsys, make_pdf, make_picture):
    (folder / "b.pdf").write_bytes(make_pdf(2))
    (folder / "a.jpg").write_bytes(make_picture())
    scan = ["--scan", str(folder / "b.pdf"), str(folder / "a.jpg")]
    assert main(["hand-in", str(folder), *ME, *scan]) == 0
    assert "scan: 3 pages, from b.pdf, a.jpg" in capsys.readouterr().out


def test_a_name_that_the_terminal_cannot_show_is_no_trouble(folder, monkeypatch):
    me = ["--name", "Łukasz 愛", "--student-number", "1023456"]
    screen = io.TextIOWrapper(io.BytesIO(), "cp1252")
    monkeypatch.setattr(sys, "stdout", screen)
    assert main(["hand-in", str(folder), *me]) == 0
    screen.seek(0)
    assert "Made for ?ukasz ?, 1023456" in screen.read()


def test_a_terminal_asks_and_no_ends_it_with_1(folder, capsys, monkeypatch):
    (folder / "optimisation.ipynb").unlink()
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "")
    assert main(["hand-in", str(folder), *ME]) == 1
    assert "Run this again when you are ready." in capsys.readouterr().out


@pytest.mark.parametrize("problem", [KeyboardInterrupt, EOFError])
def test_ctrl_c_and_ctrl_d_are_one_line(folder, capsys, monkeypatch, problem):
    def stop(question):
        raise problem

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", stop)
    assert main(["hand-in", str(folder)]) == 1
    assert capsys.readouterr().err.strip() == "Stopped; run this again when you are ready."


@pytest.mark.parametrize("arguments", [[], ["unknown"], ["hand-in", "--unknown"]])
def test_wrong_usage_exits_with_2(arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit):
        main(["hand-in", "--help"])
    out = capsys.readouterr().out
    assert all(
        word in out for word in ("FOLDER", "--name", "--student-number", "--scan", "--anyway")
    )


def test_python_m_nnlab_is_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "nnlab", "hand-in", *ME],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "none of the round's notebooks is here" in done.stderr
    assert done.stdout == ""
