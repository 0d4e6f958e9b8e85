import os
import zipfile
from datetime import datetime
from io import BytesIO

import nbformat
import pytest

from coursekit.errors import KitError
from coursekit.release import pack, release


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_release_holds_no_solution_and_no_hidden_test(released):
    for path in (released.release / "round").glob("*.ipynb"):
        text = path.read_text()
        assert "return a + b" not in text
        assert "SOLUTION" not in text
        assert "== 42" not in text
    assert (released.release / "round" / "helper.py").is_file()


def test_release_keeps_cell_ids(released):
    cells = nbformat.read(released.release / "round" / "sums.ipynb", as_version=4).cells
    assert [cell.id for cell in cells] == ["title", "answer", "test", "words", "why"]


def test_releasing_twice_changes_no_byte(released):
    first = release(released, "round")
    before = contents(first.folder), first.archive.read_bytes()
    second = release(released, "round")
    assert (contents(second.folder), second.archive.read_bytes()) == before


@pytest.mark.parametrize("mask", [0o077, 0o002])
def test_release_can_be_read_by_everybody_whatever_the_umask(course, mask):
    (course.source / "round" / "package").mkdir()
    (course.source / "round" / "package" / "module.py").write_text("")
    before = os.umask(mask)
    try:
        made = release(course, "round")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    places = [course.release, made.folder, *made.folder.rglob("*"), course.build, made.archive]
    assert len(places) == 9
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in places} == {
        path.name: "0o755" if path.is_dir() else "0o644" for path in places
    }


def test_leftovers_and_caches_disappear(released):
    folder = release(released, "round").folder
    (folder / "old.py").write_text("")
    for cache in ("__pycache__", ".ruff_cache/0.1", ".ipynb_checkpoints"):
        (released.source / "round" / cache).mkdir(parents=True)
        (released.source / "round" / cache / "cached.txt").write_text("")
    assert release(released, "round").files == ("helper.py", "products.ipynb", "sums.ipynb")
    assert sorted(contents(folder)) == ["helper.py", "products.ipynb", "sums.ipynb"]
    assert [path.name for path in folder.iterdir() if path.is_dir()] == []


def test_zip_holds_the_release_and_the_requirements(released):
    archive = zipfile.ZipFile(release(released, "round").archive)
    assert archive.namelist() == [
        "round/helper.py",
        "round/products.ipynb",
        "round/requirements.txt",
        "round/sums.ipynb",
    ]
    for name in ("helper.py", "sums.ipynb"):
        assert archive.read(f"round/{name}") == (released.release / "round" / name).read_bytes()
    archive.close()


def test_zip_of_a_round_with_a_package_installs_it(released):
    (released.source / "round" / "pyproject.toml").write_text("")
    with zipfile.ZipFile(release(released, "round").archive) as archive:
        lines = archive.read("round/requirements.txt").decode().splitlines()
    assert lines[-1] == "--editable ."
    assert lines[0] == (released.root / "requirements.txt").read_text().splitlines()[0]


def test_packing_depends_on_names_and_contents_only():
    assert pack("a", {"x": b"1", "y": b"2"}) == pack("a", {"y": b"2", "x": b"1"})
    assert pack("a", {"x": b"1"}) != pack("a", {"x": b"2"})
    with zipfile.ZipFile(BytesIO(pack("a", {"x": b"1"}))) as archive:
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)


def test_deadline_is_stored_in_utc_and_kept(released):
    release(released, "round", due=datetime(2026, 11, 30, 23, 59))
    release(released, "round")
    with released.gradebook() as gradebook:
        assert gradebook.find_assignment("round").duedate == datetime(2026, 11, 30, 21, 59)


def test_points_reach_the_gradebook(released):
    with released.gradebook() as gradebook:
        assert gradebook.find_assignment("round").max_score == 10


def test_source_that_nbgrader_refuses_is_told_with_the_notebook(released):
    path = released.source / "round" / "sums.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[2].metadata.nbgrader.grade_id = "add-words"
    nbformat.write(notebook, path)
    with pytest.raises(KitError, match=r"sums.ipynb: .*add-words"):
        release(released, "round")
