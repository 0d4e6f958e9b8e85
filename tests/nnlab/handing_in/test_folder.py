import errno
import io
import os
import zipfile
from pathlib import Path

import pytest

from nnlab.handing_in import HandInError
from nnlab.handing_in.folder import MARK, pack, write


def together(**files):
    files = {name.replace("_", "."): data for name, data in files.items()}
    return {**files, "round09.zip": pack(files)}


def contents(folder):
    return {path.name: path.read_bytes() for path in (folder / "hand_in").iterdir()}


def fail(number):
    def failing(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return failing


def test_the_zip_holds_every_file(tmp_path):
    files = together(a_pdf=b"1", b_ipynb=b"2")
    assert write(tmp_path, files) == ([], [])
    assert contents(tmp_path) == files
    with zipfile.ZipFile(io.BytesIO(files["round09.zip"])) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "a.pdf": b"1",
            "b.ipynb": b"2",
        }


def test_an_earlier_hand_in_is_renewed(tmp_path):
    write(tmp_path, together(a_pdf=b"1"))
    files = together(a_pdf=b"2")
    assert write(tmp_path, files) == ([], [])
    assert contents(tmp_path) == files


def test_a_file_that_was_changed_since_is_kept(tmp_path):
    for data in (b"mine", b"mine, too"):
        write(tmp_path, together(b_ipynb=b"1"))
        (tmp_path / "hand_in" / "b.ipynb").write_bytes(data)
    kept, _ = write(tmp_path, together(b_ipynb=b"2"))
    assert kept == ["b (kept 2).ipynb"]
    held = contents(tmp_path)
    assert (held["b.ipynb"], held["b (kept 1).ipynb"], held["b (kept 2).ipynb"]) == (
        b"2",
        b"mine",
        b"mine, too",
    )


@pytest.mark.parametrize("zipped", [b"", b"PK\x03\x04 broken", b"my own"])
def test_a_zip_of_the_students_is_kept(tmp_path, zipped):
    (tmp_path / "hand_in").mkdir()
    (tmp_path / "hand_in" / "round09.zip").write_bytes(zipped)
    assert write(tmp_path, together(a_pdf=b"1"))[0] == ["round09 (kept 1).zip"]
    assert contents(tmp_path)["round09 (kept 1).zip"] == zipped


def test_a_foreign_zip_vouches_for_nothing(tmp_path):
    (tmp_path / "hand_in").mkdir()
    with zipfile.ZipFile(tmp_path / "hand_in" / "other.zip", "w") as archive:
        archive.writestr("a.pdf", b"mine")
        assert archive.comment != MARK
    (tmp_path / "hand_in" / "a.pdf").write_bytes(b"mine")
    assert write(tmp_path, together(a_pdf=b"1")) == (["a (kept 1).pdf"], ["other.zip"])


def test_files_of_another_run_are_told(tmp_path):
    write(tmp_path, together(old_pdf=b"1"))
    assert write(tmp_path, together(a_pdf=b"1"))[1] == ["old.pdf"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full; make room, and run hand_in() again."),
        (errno.EROFS, "copy the round to a folder of your own"),
        (errno.EACCES, "close it if another program shows it"),
    ],
)
def test_a_write_that_fails_changes_nothing(tmp_path, monkeypatch, number, words):
    files = together(a_pdf=b"1", b_ipynb=b"2")
    write(tmp_path, files)
    monkeypatch.setattr(os, "fsync", fail(number))
    with pytest.raises(HandInError, match="hand_in/a.pdf: ") as caught:
        write(tmp_path, together(a_pdf=b"3"))
    assert words in str(caught.value)
    assert contents(tmp_path) == files


def test_a_file_open_in_another_program_is_told_and_no_part_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "replace", fail(errno.EACCES))
    with pytest.raises(HandInError, match="hand_in/a.pdf: it cannot be written; close it"):
        write(tmp_path, together(a_pdf=b"1"))
    assert contents(tmp_path) == {}


def test_a_read_only_folder_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "mkdir", fail(errno.EACCES))
    with pytest.raises(HandInError, match="^the folder hand_in: it cannot be written"):
        write(tmp_path, together(a_pdf=b"1"))


def test_a_file_called_hand_in_stays(tmp_path):
    (tmp_path / "hand_in").write_text("mine", encoding="utf-8")
    with pytest.raises(HandInError, match="^the folder hand_in: there is a file of that name"):
        write(tmp_path, together(a_pdf=b"1"))
    assert (tmp_path / "hand_in").read_text(encoding="utf-8") == "mine"
