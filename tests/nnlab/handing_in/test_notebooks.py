import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from nnlab.handing_in import HandInError
from nnlab.handing_in import notebooks as module
from nnlab.handing_in.notebooks import choose, read_notebooks
from nnlab.handing_in.released import CELLS


def names(chosen):
    return {item.name: item.path.name for item in chosen}


def test_notebooks_come_in_the_order_of_the_exercises(folder):
    chosen, found = choose(read_notebooks(folder))
    assert names(chosen) == {name: f"{name}.ipynb" for name in CELLS}
    assert list(names(chosen)) == list(CELLS)
    assert found == []


@pytest.mark.parametrize(
    "name", ["classification (1).ipynb", "classification-Copy1.ipynb", "Ä.IPYNB"]
)
def test_a_notebook_is_known_by_its_cells(folder, name):
    (folder / "classification.ipynb").rename(folder / name)
    chosen, [line] = choose(read_notebooks(folder))
    assert names(chosen)["classification"] == name
    assert line.startswith(f"{name}: it is handed in as classification.ipynb")


def test_the_right_name_wins_and_a_newer_copy_is_told(folder):
    copy = folder / "classification-Copy1.ipynb"
    copy.write_bytes((folder / "classification.ipynb").read_bytes())
    os.utime(copy, (2**31, 2**31))
    chosen, [line] = choose(read_notebooks(folder))
    assert names(chosen)["classification"] == "classification.ipynb"
    assert line.startswith("classification.ipynb: classification-Copy1.ipynb is newer")


def test_an_older_copy_is_a_backup(folder):
    copy = folder / "classification-Copy1.ipynb"
    copy.write_bytes((folder / "classification.ipynb").read_bytes())
    os.utime(copy, (10**9, 10**9))
    assert choose(read_notebooks(folder))[1] == []


def test_of_two_copies_the_newer_is_taken(folder):
    path = folder / "classification.ipynb"
    for number, time in enumerate((2**31, 10**9)):
        copy = folder / f"classification ({number}).ipynb"
        copy.write_bytes(path.read_bytes())
        os.utime(copy, (time, time))
    path.unlink()
    assert names(choose(read_notebooks(folder))[0])["classification"] == "classification (0).ipynb"


def test_exchanged_names_are_seen_through(folder):
    (folder / "derivation.ipynb").rename(folder / "x")
    (folder / "optimisation.ipynb").rename(folder / "derivation.ipynb")
    (folder / "x").rename(folder / "optimisation.ipynb")
    chosen, found = choose(read_notebooks(folder))
    assert names(chosen)["derivation"] == "optimisation.ipynb"
    assert len(found) == 2


def test_a_missing_notebook_is_told_and_others_are_left_alone(folder):
    (folder / "optimisation.ipynb").unlink()
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), folder / "scratch.ipynb")
    (folder / ".~derivation.ipynb").write_bytes((folder / "derivation.ipynb").read_bytes())
    chosen, found = choose(read_notebooks(folder))
    assert list(names(chosen)) == ["derivation", "classification"]
    assert found == ["optimisation.ipynb: it is not here; is it in another folder?"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\0" * 4096, "empty"),
        (b'{"cells": [', "damaged"),
        (b"<!DOCTYPE html>", "damaged"),
        (b"\xff\xfe{}", "damaged"),
        (b"[]", "damaged"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [3]}', "damaged"),
        (
            b'{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": '
            b'[{"cell_type": "code", "source": 3, "metadata": {}, "outputs": 1}]}',
            "damaged",
        ),
        (
            b'{"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": '
            b'[{"source": "", "metadata": {}}]}',
            "damaged",
        ),
        (b"[" * 100_000, "damaged"),
    ],
)
def test_a_file_that_is_no_notebook_is_told_and_still_handed_in(folder, data, words):
    (folder / "classification.ipynb").write_bytes(data)
    chosen, [line] = choose(read_notebooks(folder))
    assert line.startswith(f"classification.ipynb: {words}")
    assert {item.name: item.handed_in() for item in chosen}["classification"] == data


def test_the_earlier_state_that_jupyter_keeps_is_named(folder):
    earlier = folder / ".ipynb_checkpoints" / "classification-checkpoint.ipynb"
    earlier.parent.mkdir()
    earlier.write_text("{}", encoding="utf-8")
    (folder / "classification.ipynb").write_bytes(b"{")
    _, [line] = choose(read_notebooks(folder))
    assert "classification-checkpoint.ipynb" in line


def test_a_good_copy_stands_in_for_a_damaged_file(folder):
    path = folder / "classification.ipynb"
    (folder / "classification (1).ipynb").write_bytes(path.read_bytes())
    path.write_bytes(b"{")
    chosen, found = choose(read_notebooks(folder))
    assert names(chosen)["classification"] == "classification (1).ipynb"
    assert any("classification.ipynb cannot be read and is not handed in" in line for line in found)


def test_a_notebook_large_by_its_outputs_goes_without_them(folder, notebooks, monkeypatch):
    monkeypatch.setattr(module, "LARGE", 100_000)
    notebook = notebooks["optimisation"]
    notebook.cells[4].outputs = [new_output("stream", text="x" * 200_000)]
    nbformat.write(notebook, folder / "optimisation.ipynb")
    chosen, [line] = choose(read_notebooks(folder))
    assert line.startswith(
        "optimisation.ipynb: it is large (0.2 MB), so it goes without its outputs"
    )
    lean = nbformat.reads(chosen[-1].handed_in().decode(), as_version=4)
    assert [cell.source for cell in lean.cells] == [cell.source for cell in notebook.cells]
    assert not lean.cells[4].outputs
    assert chosen[-1].node.cells[4].outputs


def test_a_file_far_too_large_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 1000)
    _, found = choose(read_notebooks(folder))
    assert all("too large" in line and "Clear Outputs of All Cells" in line for line in found)


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(HandInError, match="start hand_in\\(\\) in the folder of your notebooks"):
        read_notebooks(tmp_path / "nowhere")
